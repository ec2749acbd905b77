"""Reason: the stable words that say why an observation has its outcome.

One list for the whole room, because they end in ``poll -o json``, in incidents and in the documentation.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why; the outcome each belongs to is in the heading above it."""

    # unreachable: nothing was asked, or nobody answered
    NO_ROUTE = "no_route"
    BAD_URL = "bad_url"
    DNS = "dns"
    REFUSED = "refused"
    RESET = "reset"
    NO_NETWORK = "no_network"
    HUB_LIMIT = "hub_limit"
    TUNNEL = "tunnel"
    SERVER_ERROR = "server_error"

    # timeout: what was under way when the deadline passed
    CONNECT = "connect"
    HANDSHAKE = "handshake"
    SEND = "send"
    ANSWER = "answer"
    BODY = "body"
    GATEWAY = "gateway"

    # tls: the certificate or the handshake failed; "handshake" stands above
    EXPIRED = "expired"
    HOSTNAME = "hostname"
    UNKNOWN_CA = "unknown_ca"
    CERTIFICATE = "certificate"
    CA_FILE = "ca_file"

    # unauthorized
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a reason, not a token
    TOKEN_MISSING = "token_missing"  # noqa: S105 - a reason, not a token
    TOKEN_INVALID = "token_invalid"  # noqa: S105 - a reason, not a token

    # forbidden: ACM's cluster-proxy, or the predictor's own rights
    ALLOWLIST = "allowlist"
    DENIED = "denied"

    # not_found
    MODEL_ABSENT = "model_absent"
    PATH_NOT_FOUND = "path_not_found"

    # not_ready
    MODEL_NOT_READY = "model_not_ready"
    OVERLOADED = "overloaded"
    NO_ENDPOINTS = "no_endpoints"
    UNAVAILABLE = "unavailable"

    # malformed: the answer as a whole
    REDIRECT = "redirect"
    STATUS = "status"
    REJECTED_REQUEST = "rejected_request"
    REJECTED_INPUT = "rejected_input"
    CONTENT_TYPE = "content_type"
    CONTENT_ENCODING = "content_encoding"
    TOO_LARGE = "too_large"
    PROTOCOL = "protocol"

    # malformed: the JSON text
    NOT_UTF8 = "not_utf8"
    BYTE_ORDER_MARK = "byte_order_mark"
    SYNTAX = "syntax"
    DUPLICATE_KEY = "duplicate_key"
    NOT_FINITE = "not_finite"
    NUMBER_TOO_LONG = "number_too_long"
    NESTING = "nesting"

    # malformed: what the JSON says
    NO_PREDICTIONS = "no_predictions"
    PREDICTIONS_TYPE = "predictions_type"
    COUNT = "count"
    LABEL_BOOL = "label_bool"
    LABEL_STRING = "label_string"
    LABEL_NULL = "label_null"
    LABEL_ZERO = "label_zero"
    LABEL_NUMBER = "label_number"
    LABEL_TYPE = "label_type"
    ROW_TYPE = "row_type"
    ROW_WIDTH = "row_width"
    ROW_VALUE = "row_value"
    MODEL_NAME = "model_name"
    MODEL_VERSION = "model_version"

    # ok, but without a vote: there were no rows to send, the model only said that it is ready
    NO_FEATURES = "no_features"
    NO_ROWS = "no_rows"
    FEATURES_MISSING = "features_missing"
    FEATURES_OUTSIDE = "features_outside"
    FEATURES_UNREADABLE = "features_unreadable"
    FEATURES_TOO_LARGE = "features_too_large"
    FEATURES_INVALID = "features_invalid"
    FEATURES_COMMAND = "features_command"
    FEATURES_TIMEOUT = "features_timeout"
