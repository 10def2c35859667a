"""Fetch Kaggle's copy of CelebA, and say what other ways there are."""

from pathlib import Path

KAGGLE = "jessicali9530/celeba-dataset"

BY_HAND = f"""\
CelebA is for non-commercial research only and may not be passed on, so each of us gets it
ourselves. Any one of these will do:

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

By fetching it, you agree to its terms: https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
"""


def fetch_from_kaggle() -> Path | None:
    """Kaggle's copy of CelebA, through kagglehub, where a token is set up.

    Returns:
        The folder that kagglehub keeps it in, or None where there is no kagglehub or no token.

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
            403: f"it wants your consent first: open {page} in a browser, log in, accept the terms",
        }.get(status)
        if reason:
            raise OSError(f"Kaggle refused {KAGGLE}, since {reason}, and try again.") from error
        raise OSError(
            f"{KAGGLE} could not be fetched from Kaggle ({type(error).__name__}): look at your "
            f"connection and try again, or fetch it in a browser from {page}."
        ) from error
