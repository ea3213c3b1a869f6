"""The one kind of error that is the caller's to mend, and the one that is an engine's."""


class UserError(ValueError):
    """A call or an input that cannot be carried out as given.

    The message is a sentence for the person who made the call: what was asked, why it cannot be,
    what to do. The command line prints it and ends with exit code 2; no stack trace is shown.
    """


class EngineError(RuntimeError):
    """An engine that has no error of its own in `backend.ENGINE_ERRORS` could not compute."""
