"""The whole way with engines on this machine: start, work, every kind of end."""

import signal

import pytest
from cluster_helper import workspace
from local_sessions import Session

pytestmark = pytest.mark.timeout(300)


def test_work_is_done_and_the_shipped_function_sees_ipython(tmp_path):
    session = Session(tmp_path, """
        def f(n):
            return n * 2, get_ipython().getoutput("echo from $((1 + 1))")
        print(view.map(f, range(3)))
        print(view.cluster.request.name, view.retries)
        try:
            view.map(lambda n: 1 / n, [0])
        except Exception as error:
            print("failed with", type(error).__name__)
    """)  # fmt: skip
    printed = session.end()
    assert "[(0, ['from 2']), (2, ['from 2']), (4, ['from 2'])]" in printed
    assert "unit-e 1" in printed
    assert "failed with" in printed
    assert "1 of 1 engines" in printed
    assert "insecure" not in printed
    assert session.process.returncode == 0
    session.leaves_nothing()


def test_work_after_the_end_is_refused_in_one_line(tmp_path):
    session = Session(tmp_path, """
        view.cluster.stop()
        view.map(len, ["x"])
    """)  # fmt: skip
    last = session.end().splitlines()[-1]
    assert last.endswith("the cluster has been stopped: work belongs into its with block")


def test_an_exception_in_the_block_ends_everything(tmp_path):
    session = Session(tmp_path, "1 / 0")
    assert "ZeroDivisionError" in session.end()
    session.leaves_nothing()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_session_ends_everything(tmp_path, number):
    session = Session(tmp_path, """
        pending = view.map_async(lambda n: __import__("time").sleep(600), range(2))
        print("working")
        pending.get()
    """)  # fmt: skip
    session.until("working")
    session.process.send_signal(number)
    session.end()
    session.leaves_nothing()


def test_when_the_last_engine_is_gone_work_ends_with_the_reason(tmp_path):
    session = Session(tmp_path, """
        def kill_the_nanny(n):
            import os, time
            os.kill(os.getppid(), 9)
            time.sleep(600)
        view.map(kill_the_nanny, [1])
    """)  # fmt: skip
    printed = session.end()
    assert "Engine 0 is lost" in printed
    assert "no engine is left: signal 9" in printed
    session.leaves_nothing()


@pytest.mark.fault("F78 old run")
def test_two_runs_share_neither_files_nor_the_key_that_engines_sign_with(monkeypatch, tmp_path):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    first, second = workspace.create(), workspace.create()
    assert first.engine_file != second.engine_file
    keys = {(run.directory / "ipcontroller_config.py").read_text() for run in (first, second)}
    assert len(keys) == 2


def test_what_is_left_when_the_supervisor_is_killed_too_is_removed_by_the_next_cluster(tmp_path):
    session = Session(tmp_path, """
        import psutil, signal
        print("working")
        psutil.Process().children()[0].send_signal(signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    """)  # fmt: skip
    session.end()
    assert len(session.files()) == 1
    second = Session(tmp_path, "print(view.apply(lambda: 'computed'))")
    printed = second.end()
    assert "Removed what an interrupted cluster had left" in printed
    assert "computed" in printed
    second.leaves_nothing()


def test_two_clusters_at_once_leave_each_other_alone(tmp_path):
    session = Session(tmp_path, """
        with cluster_view(num_jobs=1, extra_params={"run_local": True}) as other:
            print(view.apply(lambda: 1), other.apply(lambda: 2))
        print(view.apply(lambda: 3))
    """)  # fmt: skip
    printed = session.end()
    assert "1 2\n" in printed
    assert printed.endswith("3\n")
    assert "interrupted" not in printed
    session.leaves_nothing()


def test_whoever_has_no_keys_hears_nothing_of_the_engines(tmp_path):
    session = Session(tmp_path, """
        import json, zmq
        info = json.loads(view.cluster._files.client_file.read_text())

        def listener(serverkey):
            socket = zmq.Context.instance().socket(zmq.SUB)
            if serverkey:
                socket.curve_serverkey = serverkey
                socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
            socket.connect(f"{info['interface']}:{info['iopub']}")
            socket.subscribe(b"")
            return socket

        listeners = {
            "with keys": listener(info["curve_serverkey"].encode()),
            "without keys": listener(None),
            "with other keys": listener(zmq.curve_keypair()[0]),
        }
        time.sleep(1)
        for number in range(5):
            view.apply(print, f"canary {number}")
        time.sleep(1)
        for name, socket in listeners.items():
            heard = b""
            while socket.poll(0):
                heard += b"".join(socket.recv_multipart())
            print(name, b"canary" in heard, len(heard) > 0)
    """)  # fmt: skip
    assert session.end().splitlines()[-3:] == [
        "with keys True True", "without keys False False", "with other keys False False",
    ]  # fmt: skip
