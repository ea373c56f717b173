whatis("Grid Engine's commands in front of Slurm's Torque commands")
prepend_path("PATH", "/opt/gridengine/bin")
setenv("SGE_ROOT", "/var/lib/gridengine")
setenv("SGE_CELL", "default")
