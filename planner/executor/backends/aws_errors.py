"""What the faults of botocore and the answers of AWS tell about a job.

An answer below 500 says that AWS has looked and has not taken the job; what breaks
after the request has left may hide that it was taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from planner.executor.backends.statuses import MISREAD, error_for
from planner.executor.backends.wording import one_line
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)

NO_ANSWER = "AWS Batch: what came has the status of an answer, but not its content"
_BUSY = frozenset(
    {
        "BandwidthLimitExceeded",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_NEVER_SENT = frozenset(
    {
        "ConnectTimeoutError",
        "CredentialRetrievalError",
        "EndpointConnectionError",
        "NoAuthTokenError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "ProxyConnectionError",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
"""Faults of botocore that come before the request leaves."""


@contextmanager
def telling_what_failed() -> Iterator[None]:
    """Any fault of a call that changes nothing is a ``BackendError``.

    A ``RejectedError`` if AWS would say the same again, as to an unknown queue.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except TimeoutError as error:
        raise BackendError("AWS Batch: no whole answer in time") from error
    except ClientError as error:
        judged = _judged(error.response, _said(error))
        final = isinstance(judged, RejectedError)
        raise (RejectedError if final else BackendError)(str(judged)) from error
    except (BotoCoreError, OSError, *MISREAD) as error:
        raise BackendError(_said(error)) from error


@contextmanager
def telling_whether_taken() -> Iterator[None]:
    """A fault of SubmitJob by what it tells about the job."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ParamValidationError,
        SSLError,
    )

    try:
        yield
    except ClientError as error:
        raise _judged(error.response, _said(error)) from error
    except ParamValidationError as error:
        raise RejectedError(_said(error)) from error
    except SSLError as error:
        untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
        raise (NotTakenError if untrusted else UncertainError)(_said(error)) from error
    except BotoCoreError as error:
        never_sent = type(error).__name__ in _NEVER_SENT
        raise (NotTakenError if never_sent else UncertainError)(_said(error)) from error
    except TimeoutError as error:
        raise UncertainError("AWS Batch: no whole answer in time") from error
    except (OSError, *MISREAD) as error:
        raise UncertainError(_said(error)) from error


def listed(answer: Any, name: str, *fields: str) -> list[dict[str, Any]]:
    """A list of an answer; botocore takes any page for an answer without content."""
    found = answer.get(name)
    if not isinstance(found, list) or not all(
        isinstance(one.get(field), str) for one in found for field in fields
    ):
        raise BackendError(NO_ANSWER)
    return found


def _judged(response: Mapping[str, Any], said: str) -> BackendError:
    """Error for an answer of AWS that is an error."""
    code = response.get("Error", {}).get("Code")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _BUSY or code in _CREDENTIALS:
        return NotTakenError(said)
    return error_for(status, said)


def _said(error: BaseException) -> str:
    return f"AWS Batch: {one_line(error)}"
