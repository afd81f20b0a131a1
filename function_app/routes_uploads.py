"""Route: a place for an upload, or one that is a copy."""

import asyncio
import uuid

import azure.durable_functions as df
import azure.functions as func

from function_app import copies, routes
from function_app.file_names import base_name
from function_app.http_support import answer, body_of, serve
from function_app.inspection import refuse_size
from function_app.owners import owner_of
from function_app.requests import UploadRequest
from function_app.responses import UploadView
from function_app.sas import UPLOAD
from function_app.services import Services, services
from tessera import naming

blueprint = df.Blueprint()


@serve(blueprint, routes.CREATE_UPLOAD)
async def create_upload(req: func.HttpRequest) -> func.HttpResponse:
    """Give a URL to which one file can be sent, or copy what a job has: 201."""
    request = body_of(req, routes.CREATE_UPLOAD, UploadRequest)
    if request.job is not None:
        job, of = request.job, request.of or "input"
        return answer(201, await asyncio.to_thread(copies.take, job, of, owner_of(req.headers), services()))
    refuse_size(request.size or 0, services().settings.limits)
    return await asyncio.to_thread(_new_place, request, services())


def _new_place(request: UploadRequest, own: Services) -> func.HttpResponse:
    upload = uuid.uuid4().hex
    own.store.ensure_container(naming.UPLOADS)
    signed = own.signer.sign(naming.UPLOADS, upload, UPLOAD, own.settings.upload_url_lifetime)
    return answer(
        201,
        UploadView(
            id=upload,
            name=base_name(request.name or ""),
            url=signed.url,
            expires_at=signed.expires_at.isoformat(),
            max_bytes=own.settings.limits.max_bytes,
        ),
    )
