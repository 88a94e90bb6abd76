"""What OpenAPI says of bodies and answers, with examples."""

from typing import Any

from swiftseg.server.problems import documented

_BINARY = {"type": "string", "format": "binary"}
_RAW = ("image/jpeg", "image/png", "image/webp", "image/tiff", "application/octet-stream")

_EXAMPLE = {
    "model": "fast_scnn-camvid",
    "height": 360,
    "width": 480,
    "classes": [{"id": 0, "name": "sky", "color": [128, 128, 128], "share": 0.21}],
    "timings_ms": {"resize": 0.1, "network": 11.2, "restore": 0.0, "read": 1.3},
    "annotations": [
        {
            "id": 1,
            "category_id": 0,
            "segmentation": [[0, 0, 480, 0, 480, 75, 0, 75]],
            "area": 36000,
            "bbox": [0, 0, 480, 75],
            "iscrowd": 0,
        }
    ],
}

ONE_PICTURE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The picture's file as it is, or a multipart body with one file.",
        "content": {
            **{media_type: {"schema": _BINARY} for media_type in _RAW},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"picture": _BINARY},
                    "required": ["picture"],
                }
            },
        },
    }
}

SEVERAL_PICTURES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A multipart body with one file for each picture.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"pictures": {"type": "array", "items": _BINARY, "minItems": 1}},
                    "required": ["pictures"],
                }
            }
        },
    }
}

ONE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; `Server-Timing` holds the milliseconds by stage.",
        "content": {
            "image/png": {"schema": _BINARY},
            "image/jpeg": {"schema": _BINARY},
            "application/x-npy": {"schema": _BINARY},
            "application/json": {"schema": {"type": "object"}, "example": _EXAMPLE},
        },
    },
    **documented(400, 401, 404, 406, 408, 413, 415, 422, 429, 503),
}

SEVERAL_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON, or a ZIP file of the answers with `results.json` beside them.",
        "content": {
            "application/zip": {"schema": _BINARY},
            "application/json": {
                "schema": {"type": "object"},
                "example": {
                    "results": [
                        {"name": "street.jpg", "status": 200, "answer": _EXAMPLE},
                        {
                            "name": "notes.jpg",
                            "status": 415,
                            "problem": {
                                "title": "Unsupported Media Type",
                                "status": 415,
                                "detail": "notes.jpg: not an image that can be read (JPEG, PNG, "
                                "WEBP, TIFF); send one of these",
                            },
                        },
                    ]
                },
            },
        },
    },
    **documented(400, 401, 404, 406, 408, 413, 415, 422, 429, 503),
}
