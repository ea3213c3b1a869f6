"""Where the file of a source lies in its folder, however it is spelled."""

from pathlib import Path

from features.errors import UserError

SPELLINGS = (".csv", ".csv.gz", ".txt", ".txt.gz")


def find_file(folder: Path, name: str) -> Path:
    """The file `name` in `folder`, written as .csv or .txt, gzipped or not.

    Raises UserError when the folder has it in none of these spellings.
    """
    for spelling in SPELLINGS:
        path = folder / f"{name}{spelling}"
        if path.is_file():
            return path
    raise UserError(
        f"The file {name} was looked for in the folder {folder} as {', '.join(SPELLINGS)}, but it "
        "is not there. Put the file into that folder, or give the folder that holds it."
    )
