"""Which process this is, as a scheduler tells."""

import pytest

from vaelib.cluster import place_in_cluster

SLURM = {
    "SLURM_JOB_ID": "7",
    "SLURM_STEP_NODELIST": "node[1-2]",
    "SLURM_LOCALID": "0",
    "SLURM_NTASKS": "2",
    "SLURM_PROCID": "1",
}
OPEN_MPI = {
    "OMPI_MCA_orte_hnp_uri": "1;tcp://10.0.0.1:3",
    "OMPI_COMM_WORLD_SIZE": "4",
    "OMPI_COMM_WORLD_RANK": "3",
}


@pytest.mark.parametrize(
    ("environment", "place"), [(SLURM, (2, 1)), (OPEN_MPI, (4, 3)), ({}, None)]
)
def test_the_number_of_processes_and_of_this_one_are_read(environment, place):
    assert place_in_cluster(environment) == place


@pytest.mark.parametrize("missing", SLURM)
def test_a_batch_script_outside_of_srun_is_one_process(missing):
    assert place_in_cluster({k: v for k, v in SLURM.items() if k != missing}) is None


@pytest.mark.parametrize("tasks", ["1", "two", ""])
def test_one_task_or_no_number_is_one_process(tasks):
    assert place_in_cluster({**SLURM, "SLURM_NTASKS": tasks}) is None
