"""Keys and values that are read strictly: what is unknown or impossible is an error."""

from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from swiftseg.core.errors import SwiftsegError, unknown_name
from swiftseg.core.files import reading

Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """Keys and values of known types; an unknown key is an error that names the known ones.

    Numbers are finite.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def refuse_unknown_keys(cls, values: Any) -> Any:
        if isinstance(values, dict):
            for key in cast(dict[str, Any], values):
                if key not in cls.model_fields:
                    raise ValueError(str(unknown_name("key", str(key), cls.model_fields)))
        return values


def read_json(path: Path, model: type[Model], problem: str) -> Model:
    """Read a JSON file; an error says `problem`, such as `expected the state of a run`.

    Raises:
        SwiftsegError: The file cannot be read, or is not what the model describes.
    """
    try:
        with reading(path):
            text = path.read_text(encoding="utf-8")
        return model.model_validate_json(text)
    except UnicodeDecodeError as error:
        raise SwiftsegError(f"{path}: {problem} ({error})") from error
    except ValidationError as error:
        raise SwiftsegError(f"{path}: {problem} ({first_problem(error)})") from error


def first_problem(error: ValidationError) -> str:
    """Return in one line where the first problem is, what came and what would be right."""
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    value = problem["input"]
    got = f", got {repr(value)[:80]}" if isinstance(value, str | int | float | bool) else ""
    return f"{place}: {message}{got}" if place else message
