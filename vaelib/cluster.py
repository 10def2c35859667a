"""Whether a scheduler started this program as one of several processes, and as which one."""

from collections.abc import Mapping

_SLURM = ("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_LOCALID")  # JAX reads them, too
_OPEN_MPI = "OMPI_MCA_orte_hnp_uri"


def place_in_cluster(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """The number of processes and the number of this one, as Slurm's srun or Open MPI tells.

    None if neither started this program, or if it started only one process.
    """
    if all(name in environment for name in _SLURM):
        names = "SLURM_NTASKS", "SLURM_PROCID"
    elif _OPEN_MPI in environment:
        names = "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"
    else:
        return None
    try:
        count, index = (int(environment[name]) for name in names)
    except (KeyError, ValueError):
        return None
    return (count, index) if count > 1 else None
