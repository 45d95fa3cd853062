from . import (
    copaco_api_key,
    copaco_connection_mixin,
    copaco_exclude,
    copaco_fetch,
    copaco_mail_merge,
    copaco_preview,
    copaco_preview_document,
    copaco_preview_dry_run,
    copaco_preview_reader,
    copaco_upload,
)
