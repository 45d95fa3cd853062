from . import copaco_api_key, copaco_exclude, copaco_fetch, copaco_upload
