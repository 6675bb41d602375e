-- A module file for Lmod, to be copied to MODULEPATH/gecko/1.0.lua and adapted: `module load gecko` then gives users the program and
-- the settings that it needs on this cluster.
help([[gecko trains long-sequence language models on CPU clusters.
    gecko --help
    gecko submit run.toml --nodes 8 --time 12:00:00 --dry-run]])
whatis("Name: gecko")
whatis("Description: a trainer for the Gecko architecture on CPUs, over MPI")

-- The MPI that gecko was built with, and no other: ranks of different MPIs do not find each other.
depends_on("openmpi/4.1") -- or "mpich/4.0", cray-mpich, ...: docs/cluster.md

-- For machine.matrices = "openblas" and for gecko doctor: the build with POSIX threads, as libopenblas.so.0 (docs/engines.md).
-- depends_on("openblas/0.3")

local root = "/opt/gecko"
prepend_path("PATH", pathJoin(root, "bin"))

-- Slurm's other fences let MPI_Init crash now and then when a node has several ranks.
setenv("SLURM_PMIX_FENCE", "ring")
