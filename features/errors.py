"""The errors that are told in a sentence, and the one that is an engine's."""


class UserError(ValueError):
    """A call or an input that cannot be carried out as given.

    The message is a sentence for the person who made the call: what was asked, why it cannot be,
    what to do. The command line prints it and ends with exit code 2; no stack trace is shown.
    """


class Unavailable(UserError):
    """What a call needs does not answer now; the same call may be carried out later."""


class EngineError(RuntimeError):
    """An engine that has no error of its own in `backend.ENGINE_ERRORS` could not compute."""
