"""What a fault of the library ``requests`` tells about a request."""

from __future__ import annotations


def never_sent(fault: BaseException) -> bool:
    """Whether there was surely no connection that the request could leave by.

    The causes of a fault lie in its arguments, reasons and causes; one of them
    must say that connecting failed or that the certificate was not trusted.
    """
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    seen: BaseException | None = fault
    for _ in range(8):
        if isinstance(seen, ConnectTimeoutError | NewConnectionError):
            return True
        if seen is None:
            return False
        if "CERTIFICATE_VERIFY_FAILED" in str(seen):
            return True
        inner = [getattr(seen, "reason", None), getattr(seen, "inner_exception", None)]
        inner += [*seen.args, seen.__cause__, seen.__context__]
        seen = next((one for one in inner if isinstance(one, BaseException)), None)
    return False
