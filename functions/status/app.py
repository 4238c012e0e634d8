"""status: the HTTP API."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from stempipe.api import Api, CreatedJob, ErrorView, Health, JobPage, JobRequest, JobView, Limit, Problem
from stempipe.errors import (
    EmptyFile,
    InternalError,
    InvalidConfig,
    InvalidRequest,
    JobNotFound,
    StempipeError,
    TooLarge,
    Unauthorized,
)
from stempipe.jobs import Jobs
from stempipe.observability import logger, tracer
from stempipe.settings import StatusSettings
from stempipe.storage import Storage, s3_client

app = APIGatewayHttpResolver(enable_validation=True)

HTTP_STATUS: dict[type[StempipeError], HTTPStatus] = {
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidConfig: HTTPStatus.UNPROCESSABLE_ENTITY,
    EmptyFile: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    JobNotFound: HTTPStatus.NOT_FOUND,
}


@cache
def api() -> Api:
    """The rules, wired to AWS once per process."""
    settings = StatusSettings.from_environment()
    return Api(
        jobs=Jobs.of(settings),
        storage=Storage(s3_client(settings), settings.storage_provider),
        settings=settings,
    )


def owner() -> str:
    """Who asks: the subject of the token that the authorizer checked."""
    authorizer = app.current_event.request_context.authorizer
    subject = authorizer.jwt_claim.get("sub") if authorizer and authorizer.jwt_claim else None
    if not subject:
        raise Unauthorized("Send a token that names its subject: Authorization: Bearer ...")
    return str(subject)


_PROBLEMS = {
    code: {"description": HTTPStatus(code).phrase, "content": {"application/json": {"model": Problem}}}
    for code in (401, 404, 413, 422, 500)
}


def _answers(status: int, *problems: int) -> dict[int, Any]:
    success = {"description": HTTPStatus(status).phrase}
    return {status: success, **{code: _PROBLEMS[code] for code in (*problems, 500)}}


@app.post(
    "/v1/jobs",
    summary="Make a job and get a link to upload its song",
    status_code=HTTPStatus.CREATED,
    responses=_answers(201, 401, 413, 422),
)
def create_job(request: JobRequest) -> CreatedJob:
    """The job starts by itself once the upload is there."""
    return api().create(owner(), request)


@app.get("/v1/jobs", summary="List your jobs, newest first", responses=_answers(200, 401, 422))
def list_jobs(
    limit: Annotated[Limit, Query(description="Jobs a page.")] = 20,
    cursor: Annotated[str | None, Query(description="From the page before.", max_length=500)] = None,
) -> JobPage:
    """Ask for the next page with the cursor of the one before."""
    return api().list(owner(), limit, cursor)


@app.get(
    "/v1/jobs/<id>",
    summary="Get a job: its progress, and links to its stems once it is completed",
    responses=_answers(200, 401, 404, 422),
)
def get_job(id: Annotated[str, Path(description="The job's id.", max_length=64)]) -> JobView:
    """Links expire; each answer has new ones."""
    return api().get(owner(), id)


@app.get("/v1/health", summary="Is the API up?", security=[{}], responses=_answers(200))
def health() -> Health:
    """Needs no token."""
    return Health()


@app.get("/v1/openapi.json", summary="This description", include_in_schema=False)
def openapi() -> Response[str]:
    """The OpenAPI document."""
    return Response(HTTPStatus.OK, content_types.APPLICATION_JSON, openapi_document())


@cache
def openapi_document() -> str:
    """The API's description, generated from the routes above."""
    return app.get_openapi_json_schema(
        title="Stempipe",
        version="1",
        description="Upload one song, get its stems.",
        security_schemes={"jwt": HTTPBearer(bearerFormat="JWT")},
        security=[{"jwt": []}],
    )


def _problem(status: int, code: str, message: str) -> Response[str]:
    problem = Problem(error=ErrorView(code=code, message=message))
    return Response(status, content_types.APPLICATION_JSON, problem.model_dump_json())


@app.exception_handler(StempipeError)
def stempipe_error(error: StempipeError) -> Response[str]:
    """An error of the rules, by the table above."""
    status = HTTP_STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    return _problem(status, error.code, error.message)


@app.exception_handler(RequestValidationError)
def invalid_request(error: RequestValidationError) -> Response[str]:
    """A request that does not fit the schema; the message names the field."""
    content_type = app.current_event.headers.get("content-type", "application/json")
    if not content_type.startswith("application/json"):
        message = f"Send JSON, with the header Content-Type: application/json; not {content_type}"
        return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, InvalidRequest.code, message)
    faults = error.errors()
    message = "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in faults
    )
    in_config = all(tuple(fault["loc"][:2]) == ("body", "config") for fault in faults)
    code = InvalidConfig.code if in_config else InvalidRequest.code
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, message.replace("body.config", "config"))


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


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return app.resolve(event, context)
