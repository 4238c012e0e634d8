"""JSON in camel case, which every document of a job's is in."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class CamelCase(BaseModel):
    """Fields named as Python has them, written and read as JavaScript has them."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)
