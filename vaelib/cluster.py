"""Whether a scheduler started this program as one of several processes, and as which one."""

import re
from collections.abc import Mapping

_KNOWN_BY = {  # JAX takes the same variables for the signs of a scheduler
    "Slurm": ("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_LOCALID"),
    "Open MPI": ("OMPI_MCA_orte_hnp_uri",),
}
_PLACES = {
    "Slurm": ("SLURM_NTASKS", "SLURM_PROCID"),
    "Open MPI": ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
}
_FORMS = {  # of what else JAX reads
    "Slurm": {"SLURM_JOB_ID": r"\d+", "SLURM_LOCALID": r"\d+", "SLURM_STEP_NODELIST": ".+"},
    "Open MPI": {
        "OMPI_MCA_orte_hnp_uri": r"\d+\.\d+;.*(tcp://.+[,:]|tcp6://\[.+[,\]]).*",
        "OMPI_COMM_WORLD_LOCAL_RANK": r"\d+",
    },
}


def place_in_cluster(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """The number of processes and the number of this one, as Slurm's srun or Open MPI tells.

    None if neither started this program, or if it started only one process.
    """
    scheduler = _scheduler(environment)
    try:
        count, index = (int(environment[name]) for name in _PLACES[scheduler])
    except (KeyError, ValueError):
        return None
    return (count, index) if count > 1 else None


def check_cluster(environment: Mapping[str, str]) -> None:
    """Check the variables of a scheduler that started this program as one of several processes.

    Raises:
        ValueError: JAX could not read them; it names the first that is missing or wrong.
    """
    place = place_in_cluster(environment)
    if place is None:
        return
    scheduler = _scheduler(environment)
    wrong = [
        name
        for name, form in _FORMS[scheduler].items()
        if not re.fullmatch(form, environment.get(name, ""))
    ]
    if not 0 <= place[1] < place[0]:
        wrong.append(_PLACES[scheduler][1])
    if wrong:
        value = environment.get(wrong[0])
        raise ValueError(
            f"{wrong[0]} is {'missing' if value is None else value[:100]}, so the variables of "
            f"{scheduler} can't be read: unset them, or give --processes, --process and "
            "--coordinator."
        )


def _scheduler(environment: Mapping[str, str]) -> str:
    """The scheduler that started this program, or ""."""
    for name, signs in _KNOWN_BY.items():
        if all(sign in environment for sign in signs):
            return name
    return ""
