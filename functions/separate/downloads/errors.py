"""The errors that a model can cause: a stable `code`, and a message for whoever runs this."""

from typing import ClassVar


class ModelError(Exception):
    """Base of the errors of models.

    Attributes
    ----------
    code : str
        Stable name of the problem, for clients and for records.
    """

    code: ClassVar[str]


class ModelMissingError(ModelError):
    """The weights of the variant have not been fetched."""

    code = "model_missing"


class ModelDamagedError(ModelError):
    """A file of the weights is not what was fetched."""

    code = "model_damaged"
