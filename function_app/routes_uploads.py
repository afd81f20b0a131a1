"""Route: a place for an upload."""

import asyncio
import uuid

import azure.durable_functions as df
import azure.functions as func

from function_app.file_names import base_name
from function_app.http_support import answer, answering_problems, parse
from function_app.requests import UploadRequest
from function_app.sas import UPLOAD
from function_app.services import Services, services
from function_app.submission import refuse_size
from tessera import naming

blueprint = df.Blueprint()


@blueprint.route("v1/uploads", methods=["POST"])
@answering_problems
async def create_upload(req: func.HttpRequest) -> func.HttpResponse:
    """Give a URL to which one file can be sent: 201."""
    request = parse(UploadRequest, req.get_body() or b"{}")
    refuse_size(request.size or 0, services().settings.limits)
    return await asyncio.to_thread(_new_place, request, services())


def _new_place(request: UploadRequest, own: Services) -> func.HttpResponse:
    upload = uuid.uuid4().hex
    own.store.ensure_container(naming.UPLOADS)
    signed = own.signer.sign(naming.UPLOADS, upload, UPLOAD, own.settings.upload_url_lifetime)
    return answer(
        201,
        {
            "id": upload,
            "name": base_name(request.name or ""),
            "url": signed.url,
            "expires_at": signed.expires_at.isoformat(),
            "max_bytes": own.settings.limits.max_bytes,
        },
    )
