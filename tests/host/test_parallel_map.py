"""`view.map` is quick with tiny calls, and otherwise as fair and careful as one call at a time."""

import signal
import time

import pytest
from cluster_helper.view import Cost, batch_size
from local_sessions import Session

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize(
    ("costs", "waiting", "engines", "size"),
    [
        ([], 200, 5, 1),
        ([Cost(1, 0.001, 100)], 200, 5, 10),
        ([Cost(1, 0.002, 100), Cost(9, 0.008, 900)], 200, 5, 10),
        ([Cost(1, 0.0001, 100)], 200, 5, 40),
        ([Cost(1, 0.0001, 100)], 7, 5, 2),
        ([Cost(1, 0.0, 0)], 100_000, 5, 100),
        ([Cost(1, 0.02, 100)], 200, 5, 1),
        ([Cost(1, 600.0, 100)], 200, 5, 1),
        ([Cost(9, 0.009, 900), Cost(1, 5.0, 100)], 200, 5, 1),
        ([Cost(1, 0.0001, 2**20)], 200, 5, 1),
        ([Cost(1, 0.0001, 2**30)], 200, 5, 1),
    ],
)
def test_a_batch_is_worth_its_message_and_no_more(costs, waiting, engines, size):
    assert batch_size(costs, waiting, engines) == size


def test_results_are_those_of_the_builtin_map_in_order(tmp_path):
    session = Session(tmp_path, """
        def add(a, b):
            return a + b
        print(view.map(add, range(500), iter(range(1000, 1500))) == list(range(1000, 2000, 2)))
        print(view.map(add, "abc", ["d", "e"]), view.map(add, [], []), view.map(len, ["x"]))
        print(sum(map(len, view.map(lambda n: bytes(1000 * n), range(300)))))
        def fresh_name(n):
            return get_ipython().getoutput(f"echo {n}")[0]
        print(view.map(fresh_name, range(40)) == [str(n) for n in range(40)])
        print(view.map(add, range(4), range(4), chunksize=2), view.map_async(add, [1], [2]).get())
        print(view.apply(add, 1, 2), len(view.client.history) < 300)
    """)  # fmt: skip
    assert session.end().splitlines()[-6:] == [
        "True", "['ad', 'be'] [] [1]", "44850000", "True", "[0, 2, 4, 6] [3]", "3 True",
    ]  # fmt: skip


FAILING = """
    from pathlib import Path
    def f(n):
        with open(f"tried-{{n}}", "a") as file:
            file.write("x")
        if n in {bad}:
            raise ValueError(f"{{n}} is bad")
        return n
    view.retries = {retries}
    try:
        view.map(f, range(200))
    except Exception as error:
        print("failed with", type(error).__name__, [e[:2] for e in error.elist])
    tried = {{p.name: len(p.read_text()) for p in Path().glob("tried-*")}}
    print(len(tried), "tried;", "others", max(n for p, n in tried.items() if p != "tried-150"),
          "bad", tried["tried-150"])
"""


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (2, 3)])
def test_a_failing_call_is_made_as_often_as_asked_and_all_others_once(tmp_path, retries, tries):
    session = Session(tmp_path, FAILING.format(bad="[150]", retries=retries))
    printed = session.end()
    assert "failed with CompositeError [('ValueError', '150 is bad')]" in printed
    assert f"200 tried; others 1 bad {tries}" in printed


def test_a_call_that_takes_long_after_many_tiny_ones_keeps_no_other_waiting(tmp_path):
    session = Session(tmp_path, """
        import os, time
        def f(n):
            import os, time
            time.sleep(0.3 if n >= 60 else 0)
            return os.getpid()
        view.map(f, range(30))
        engines = [n for n in view.map(f, range(66))][60:]
        print("at most", max(map(engines.count, engines)))
    """, engines=2)  # fmt: skip
    assert session.end().splitlines()[-1] in ("at most 3", "at most 4")


def test_the_engine_of_a_batch_is_killed_and_its_calls_are_made_by_another(tmp_path):
    session = Session(tmp_path, """
        def f(n):
            import os, signal
            if n == 150 and not os.path.exists("died"):
                open("died", "w").close()
                os.kill(os.getpid(), signal.SIGKILL)
            return n
        print(view.map(f, range(200)) == list(range(200)), "after a loss")
    """, engines=2)  # fmt: skip
    printed = session.end()
    assert "True after a loss" in printed
    assert "is lost" in printed


def test_what_cannot_be_sent_is_said_and_the_view_still_works(tmp_path):
    session = Session(tmp_path, """
        import threading
        for f, items in [(lambda n: threading.Lock(), range(30)),
                         (lambda n: n, [threading.Lock()])]:
            try:
                view.map(f, items)
            except Exception as error:
                print("refused:", str(error).splitlines()[0][:200])
        print(view.map(lambda n: n + 1, range(3)))
    """)  # fmt: skip
    printed = session.end()
    assert printed.count("refused:") == 2
    assert "[1, 2, 3]" in printed


def test_nothing_more_is_taken_when_no_engine_is_left(tmp_path):
    session = Session(tmp_path, """
        import os
        def die(n):
            import os
            os.kill(os.getpid(), 9)
        for attempt in range(2):
            try:
                view.map(die, range(50))
            except Exception as error:
                print("refused:", str(error).splitlines()[-1])
    """)  # fmt: skip
    printed = session.end()
    assert printed.count("no engine is left") >= 2
    session.leaves_nothing()


def test_ctrl_c_ends_the_wait_for_results_and_leaves_nothing(tmp_path):
    session = Session(tmp_path, """
        def f(n):
            import time
            time.sleep(600)
        print("working")
        result = view.map(f, range(9))
        print("went on")
    """)  # fmt: skip
    session.until("working")
    time.sleep(0.5)
    session.process.send_signal(signal.SIGINT)
    printed = session.end()
    assert "KeyboardInterrupt" in printed
    assert "went on" not in printed
    session.leaves_nothing()
