"""Which process this is, as a scheduler tells."""

import pytest

from vaelib.cluster import check_cluster, place_in_cluster

SLURM = {
    "SLURM_JOB_ID": "7",
    "SLURM_STEP_NODELIST": "node[1-2]",
    "SLURM_LOCALID": "0",
    "SLURM_NTASKS": "2",
    "SLURM_PROCID": "1",
}
OPEN_MPI = {
    "OMPI_MCA_orte_hnp_uri": "4096.0;tcp://10.0.0.1,10.0.0.2:3",
    "OMPI_COMM_WORLD_SIZE": "4",
    "OMPI_COMM_WORLD_RANK": "3",
    "OMPI_COMM_WORLD_LOCAL_RANK": "1",
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


@pytest.mark.parametrize("environment", [SLURM, OPEN_MPI, {}, {**SLURM, "SLURM_NTASKS": "1"}])
def test_what_is_whole_passes(environment):
    check_cluster(environment)


@pytest.mark.parametrize(
    ("usual", "name", "value"),
    [
        (SLURM, "SLURM_JOB_ID", "abc"),
        (SLURM, "SLURM_LOCALID", ""),
        (SLURM, "SLURM_PROCID", "5"),
        (OPEN_MPI, "OMPI_MCA_orte_hnp_uri", "garbage"),
        (OPEN_MPI, "OMPI_COMM_WORLD_LOCAL_RANK", "first"),
        (OPEN_MPI, "OMPI_COMM_WORLD_RANK", "-1"),
    ],
)
def test_what_jax_could_not_read_is_named(usual, name, value, one_sentence):
    with pytest.raises(ValueError) as error:
        check_cluster({**usual, name: value})
    one_sentence(error.value, f"{name} is {value}", "--coordinator")


def test_what_is_missing_is_named(one_sentence):
    whole = dict(OPEN_MPI)
    del whole["OMPI_COMM_WORLD_LOCAL_RANK"]
    with pytest.raises(ValueError) as error:
        check_cluster(whole)
    one_sentence(error.value, "OMPI_COMM_WORLD_LOCAL_RANK is missing", "Open MPI")
