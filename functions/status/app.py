"""status: the HTTP API."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path as FilePath
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.api_gateway import ResponseBuilder
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext

from stempipe.adapters.outbound import Outbound
from stempipe.adapters.storage import Storage, s3_client
from stempipe.adapters.vault import Vault, kms_client
from stempipe.errors import (
    LONGEST_MESSAGE,
    EmptyFile,
    IdempotencyConflict,
    InternalError,
    InvalidConfig,
    InvalidRequest,
    InvalidState,
    JobNotFound,
    QuotaExceeded,
    StempipeError,
    StorageRefuses,
    StorageUnavailable,
    TooLarge,
    Unauthorized,
    UploadGone,
    shown,
)
from stempipe.jobs.quota import QuotaView, rate_limit_headers
from stempipe.jobs.record import Status
from stempipe.jobs.requests import WAYS_IN, IdempotencyKey, Limit, NewJob, Time
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import CreatedJob, ErrorView, FilesView, Health, JobPage, JobView, Problem, Refusal
from stempipe.observability import Metric, about, logger, metrics, tracer
from stempipe.rules.api import Api
from stempipe.rules.dispatch import Dispatch
from stempipe.rules.webhooks import Callbacks
from stempipe.settings import StatusSettings

ANALYSIS_SCHEMA = FilePath(__file__).with_name("analysis.schema.json")

app = APIGatewayHttpResolver(enable_validation=True)

# What a client sends is quoted, and may be megabytes.

HTTP_STATUS: dict[type[StempipeError], HTTPStatus] = {
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidConfig: HTTPStatus.UNPROCESSABLE_ENTITY,
    EmptyFile: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    JobNotFound: HTTPStatus.NOT_FOUND,
    InvalidState: HTTPStatus.CONFLICT,
    IdempotencyConflict: HTTPStatus.CONFLICT,
    UploadGone: HTTPStatus.GONE,
    QuotaExceeded: HTTPStatus.TOO_MANY_REQUESTS,
    StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageRefuses: HTTPStatus.SERVICE_UNAVAILABLE,
}


@cache
def api() -> Api:
    """The rules, wired to AWS once per process."""
    settings = StatusSettings.from_environment()
    jobs = Jobs.of(settings)
    return Api(
        jobs=jobs,
        storage=Storage(s3_client(settings), settings.storage_provider),
        dispatch=Dispatch.of(settings, jobs),
        settings=settings,
        callbacks=Callbacks(
            Outbound(settings.webhook_allowed_hosts), Vault(kms_client(), settings.callback_key_id)
        ),
    )


def owner() -> str:
    """Who asks: the subject of the token. The authorizer has checked it, but for what is checked here."""
    authorizer = app.current_event.request_context.authorizer
    claims = (authorizer and authorizer.jwt_claim) or {}
    if not claims.get("sub") or not claims.get("exp"):
        raise Unauthorized("Send a token that names its subject and expires: Authorization: Bearer ...")
    # Cognito's ID tokens have the audience of its access tokens: the authorizer lets both in.
    if claims.get("token_use", "access") != "access":
        raise Unauthorized("Send the access token. An ID token tells a client who signed in, and no more.")
    return str(claims["sub"])


def mine(job_id: str) -> tuple[str, str]:
    """Who asks, and for which job: the log says it from here on, whether there is such a job or not."""
    subject = owner()
    about(subject, job_id)
    return subject, job_id


def _answers(status: int, *problems: int) -> dict[int, Any]:
    """What a route may answer: a status of success, and problems. The gateway answers some by itself."""
    models: dict[int, Any] = {429: Refusal} | dict.fromkeys((*problems, 500), Problem)
    models |= {code: Problem | Refusal for code in (401, 413, 429) if code in problems}
    return {status: {"description": HTTPStatus(status).phrase}} | {
        code: {"description": HTTPStatus(code).phrase, "content": {"application/json": {"model": model}}}
        for code, model in sorted(models.items())
    }


JobId = Annotated[str, Path(description="The job's id.", max_length=64)]


@app.post(
    "/v1/jobs",
    operation_id="createJob",
    summary="Make a job: get a link to upload its song, or send a small one with the request",
    status_code=HTTPStatus.CREATED,
    responses=_answers(201, 401, 409, 413, 415, 422, 429, 503),
)
def create_job(
    request: Annotated[NewJob, Body()],
    idempotency_key: Annotated[
        IdempotencyKey | None,
        Header(
            alias="Idempotency-Key",
            description="The same key with the same request makes no second job, for as long as the first is "
            "there; with another request it is refused.",
        ),
    ] = None,
) -> CreatedJob:
    """The job starts by itself once its song is there."""
    return api().create(owner(), request, idempotency_key)


@app.get(
    "/v1/jobs",
    operation_id="listJobs",
    summary="List your jobs, newest first",
    responses=_answers(200, 401, 422),
)
def list_jobs(
    limit: Annotated[Limit, Query(description="Jobs a page.")] = 20,
    cursor: Annotated[str | None, Query(description="From the page before.", max_length=500)] = None,
    status: Annotated[
        list[Status] | None, Query(description="Only these: one, or several by commas or repeated.")
    ] = None,
    created_after: Annotated[
        Time | None, Query(alias="createdAfter", description="Only those made then or later.")
    ] = None,
    created_before: Annotated[
        Time | None, Query(alias="createdBefore", description="Only those made then or earlier.")
    ] = None,
) -> JobPage:
    """Ask for the next page with the cursor of the one before, and the same filters."""
    return api().list(
        owner(),
        limit,
        cursor,
        statuses=status or (),
        created_after=created_after,
        created_before=created_before,
    )


@app.get(
    "/v1/jobs/<id>",
    operation_id="getJob",
    summary="Get a job: its progress, and links to its stems once it is completed",
    responses=_answers(200, 401, 404, 422),
)
def get_job(id: JobId) -> JobView:
    """Links expire; each answer has new ones."""
    return api().get(*mine(id))


@app.get(
    "/v1/jobs/<id>/files",
    operation_id="listFiles",
    summary="List the files of a job's results, with links",
    responses=_answers(200, 401, 404, 422),
)
def list_files(id: JobId) -> FilesView:
    """Stems are there first, then what was asked for besides. Links expire; each answer has new ones."""
    return api().files(*mine(id))


@app.delete(
    "/v1/jobs/<id>",
    operation_id="deleteJob",
    summary="Cancel a job, or delete one that has ended",
    responses=_answers(200, 401, 404, 409, 422, 503) | {204: {"description": "It was deleted."}},
)
def delete_job(id: JobId) -> Response[JobView | None]:
    """One that has not ended becomes cancelled, and is the answer; one that has is gone then, with no answer.
    Song and stems are deleted in either case."""
    job = api().delete(*mine(id))
    if job is None:
        return Response(HTTPStatus.NO_CONTENT)
    return Response(HTTPStatus.OK, content_types.APPLICATION_JSON, job)


@app.post(
    "/v1/jobs/<id>/retry",
    operation_id="retryJob",
    summary="Try a job again that failed, or whose analysis did",
    status_code=HTTPStatus.ACCEPTED,
    responses=_answers(202, 401, 404, 409, 410, 422, 429, 503),
)
def retry_job(id: JobId) -> JobView:
    """Its upload must still be there."""
    return api().retry(*mine(id))


@app.get(
    "/v1/quota",
    operation_id="getQuota",
    summary="What you may take, and what of it is left",
    responses=_answers(200, 401),
)
def get_quota() -> QuotaView:
    """A job counts from when it is made. Until its length is known, it counts for what its bytes may be."""
    return api().quota(owner())


@app.get(
    "/v1/health",
    operation_id="health",
    summary="Is the API up?",
    security=[{}],
    responses=_answers(200),
)
def health() -> Health:
    """Needs no token."""
    return Health()


@app.get("/v1/schemas/analysis.json", summary="The schema of analysis.json", include_in_schema=False)
def analysis_schema() -> Response[str]:
    """What an analysis.json has in it. Needs no token."""
    return Response(HTTPStatus.OK, "application/schema+json", ANALYSIS_SCHEMA.read_text())


@app.get("/v1/openapi.json", summary="This description", include_in_schema=False)
def openapi() -> Response[str]:
    """The OpenAPI document."""
    return Response(HTTPStatus.OK, content_types.APPLICATION_JSON, openapi_document())


@cache
def openapi_document() -> str:
    """The API's description, generated from the routes above."""
    document = app.get_openapi_schema(
        title="Stempipe",
        version="1",
        description="Upload one song, get its stems.",
        security_schemes={"jwt": HTTPBearer(bearerFormat="JWT")},
        security=[{"jwt": []}],
    )
    document = json.loads(document.model_dump_json(by_alias=True, exclude_none=True))
    for operation in (item for path in document["paths"].values() for item in path.values()):
        _tidy(operation)
    return json.dumps(document)


def _tidy(operation: dict[str, Any]) -> None:
    """Take out what Powertools says too much: a body of 204, and null for the other; nulls in parameters;
    checks where there is nothing to check."""
    if operation["responses"].get("204", {}).pop("content", None):
        _not_null(operation["responses"]["200"]["content"]["application/json"]["schema"])
    for parameter in operation.get("parameters", []):
        _not_null(parameter["schema"])
    if "parameters" not in operation and "requestBody" not in operation:
        del operation["responses"]["422"]


def _not_null(schema: dict[str, Any]) -> None:
    if choices := schema.pop("anyOf", None):
        schema |= next(choice for choice in choices if choice != {"type": "null"})


def _problem(status: int, code: str, message: str) -> Response[str]:
    problem = Problem(error=ErrorView(code=code, message=message[:LONGEST_MESSAGE]))
    return Response(status, content_types.APPLICATION_JSON, problem.model_dump_json())


@app.exception_handler(StempipeError)
def stempipe_error(error: StempipeError) -> Response[str]:
    """An error of the rules, by the table above."""
    status = HTTP_STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    answer = _problem(status, error.code, error.message)
    if isinstance(error, QuotaExceeded):
        Metric.REFUSED_BY_QUOTA.add()
        answer.headers |= {"Retry-After": str(error.retry_after)}
        answer.headers |= rate_limit_headers(api().quota(owner()), datetime.now(UTC))
    return answer


@app.exception_handler(RequestValidationError)
def invalid_request(error: RequestValidationError) -> Response[str]:
    """A request that does not fit the schema; the message names the field."""
    if any(fault["loc"][0] == "response" for fault in error.errors()):
        answer: Response[str] = unforeseen(error)
        return answer
    faults = [(_field(fault["loc"]), fault["msg"].removeprefix("Value error, ")) for fault in error.errors()]
    message = shown("; ".join(f"{'.'.join(field)}: {fault}" for field, fault in faults))
    code = InvalidConfig.code if all(field[0] == "config" for field, _ in faults) else InvalidRequest.code
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, message)


def _field(location: Sequence[str | int]) -> list[str]:
    """Where in the request a fault is, as its sender knows it."""
    where = [str(part) for part in location]
    if where[0] == "body" and len(where) > 1 and where[1] in WAYS_IN:
        del where[1]  # the kind of request that it was read as
    return where[1:] if where[1:2] == ["config"] else where


@app.exception_handler(RecursionError)
def nested_too_deeply(_: RecursionError) -> Response[str]:
    """A body that no parser gets to the bottom of."""
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, InvalidRequest.code, "body: it is nested too deeply")


@app.not_found
def no_such_route(_: NotFoundError) -> Response[str]:
    """A path or verb that the API does not have."""
    return _problem(HTTPStatus.NOT_FOUND, "not_found", "There is nothing here. See /v1/openapi.json.")


@app.exception_handler(Exception)
def unforeseen(error: Exception) -> Response[str]:
    """Anything else: the cause goes to the log, not to the client."""
    logger.exception("Unforeseen", exc_info=error)
    fault = InternalError()
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, fault.code, fault.message)


def _fault_of(event: dict[str, Any]) -> str | None:
    """What is wrong with JSON that no answer can quote, or that ends its reader. None of other faults."""
    body = event.get("body") or "{}"
    try:
        if event.get("isBase64Encoded"):
            body = base64.b64decode(body).decode()
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "body: it has half a character, such as \\ud800 by itself"
    except UnicodeDecodeError:
        return "body: it is not in UTF-8"
    except (json.JSONDecodeError, RecursionError):
        return None  # the app says so
    except ValueError:
        return "body: it has a number of too many digits"
    return None


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    content_type = event["headers"].get("content-type", content_types.APPLICATION_JSON)
    if event.get("body") and not content_type.startswith(content_types.APPLICATION_JSON):
        # Powertools reads forms besides, and trips over some.
        message = f"Send JSON, with the header Content-Type: application/json; not {content_type}"
        problem = _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, InvalidRequest.code, message)
        return ResponseBuilder[APIGatewayProxyEventV2](problem).build(APIGatewayProxyEventV2(event))
    if fault := _fault_of(event):
        problem = _problem(HTTPStatus.UNPROCESSABLE_ENTITY, InvalidRequest.code, fault)
        return ResponseBuilder[APIGatewayProxyEventV2](problem).build(APIGatewayProxyEventV2(event))
    answer = app.resolve(event, context)
    # API Gateway takes null for no body; the local cloud does not.
    return answer | {"body": answer["body"] or ""}
