"""Reason: the stable words that say why an observation has its outcome, each with its meaning.

One list for the whole room, because they end in ``poll -o json``, in incidents and in the documentation.
"""

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """Why; the outcome each belongs to stands above it. ``meaning`` is one sentence for people."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> Self:
        """A member that is its word, and knows what it means."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member

    # unreachable
    NO_ROUTE = "no_route", "Nothing says how the spoke is reached; nothing was sent."
    NO_ADDRESS = "no_address", "The host of the route is not known: nothing on the hub says it; nothing was sent."
    BAD_URL = "bad_url", "The route makes a URL that cannot be; nothing was sent."
    DNS = "dns", "The host's name is not known."
    REFUSED = "refused", "The host refused the connection."
    RESET = "reset", "The connection broke before the answer was complete."
    NO_NETWORK = "no_network", "There is no way to the host's network."
    HUB_LIMIT = "hub_limit", "The hub is out of files, ports or buffers; the spoke is not to blame."
    TUNNEL = "tunnel", "The cluster-proxy has no tunnel to the spoke: its agent there is away."
    BAD_GATEWAY = "bad_gateway", "A gateway answered 502: its last hop failed, also by a certificate or its name."
    SERVICE_UNREACHABLE = "service_unreachable", "The spoke's kube-apiserver did not reach the predictor's Service."
    SERVER_ERROR = "server_error", "The server answered 5xx for a reason of its own."

    # timeout
    CONNECT = "connect", "The deadline passed while connecting."
    HANDSHAKE = "handshake", "The TLS handshake failed (tls) or took longer than the deadline (timeout)."
    SEND = "send", "The deadline passed while sending."
    ANSWER = "answer", "The deadline passed before the answer began."
    BODY = "body", "The deadline passed while the answer came in."
    GATEWAY = "gateway", "A gateway answered 504: it waited longer than it may."

    # tls
    EXPIRED = "expired", "The certificate is not valid now."
    HOSTNAME = "hostname", "The certificate is for another name."
    UNKNOWN_CA = "unknown_ca", "The certificate is from a CA that is not trusted."
    CERTIFICATE = "certificate", "The certificate is wrong in another way."
    CA_FILE = "ca_file", "The CA bundle is missing or holds no certificate; nothing was sent."

    # unauthorized
    TOKEN_REFUSED = "token_refused", "The predictor or the proxy before it did not accept the token, or wants one."
    TOKEN_MISSING = "token_missing", "The token's file, variable or Secret is not there; nothing was sent."
    TOKEN_INVALID = "token_invalid", "The token's file, variable or Secret holds no bearer token; nothing was sent."

    APISERVER_TOKEN = "apiserver_token", "The spoke's kube-apiserver did not accept the token, or wants one."
    HUB_API = "hub_api", "The hub's API server did not tell the token; nothing was sent."

    # forbidden
    ALLOWLIST = "allowlist", "The cluster-proxy's list of exposed services does not hold the predictor's Service."
    APISERVER_DENIED = "apiserver_denied", "The spoke's kube-apiserver lets the token proxy to no such Service."
    DENIED = "denied", "The token has no right to the predictor."

    # not_found
    MODEL_ABSENT = "model_absent", "The server has no model of that name loaded."
    SERVICE_ABSENT = "service_absent", "The spoke's kube-apiserver knows no Service of that name."
    PATH_NOT_FOUND = "path_not_found", "Something answered that is no model server, or the Service does not exist."

    # not_ready
    MODEL_NOT_READY = "model_not_ready", "The server has the model, but it is not ready."
    OVERLOADED = "overloaded", "The server has too much to do."
    NO_ENDPOINTS = "no_endpoints", "No pod stands behind the Route or Service, or its router trusts none there."
    UNAVAILABLE = "unavailable", "Something on the way answered 503 without saying why."

    # malformed: the answer as a whole
    REDIRECT = "redirect", "The answer points elsewhere, to a login page for instance; it is not followed."
    STATUS = "status", "The status is none that KServe answers."
    PROXY_URL = "proxy_url", "The cluster-proxy does not take such a path; http needs MCE 2.11 or later."
    REJECTED_REQUEST = "rejected_request", "The server refused the request (4xx)."
    REJECTED_INPUT = "rejected_input", "The model could not use the rows: their width or their values."
    CONTENT_TYPE = "content_type", "The answer does not say that it is JSON."
    CONTENT_ENCODING = "content_encoding", "The answer is compressed, which was not asked for."
    TOO_LARGE = "too_large", "The answer is larger than maxBodyBytes."
    PROTOCOL = "protocol", "The answer is not HTTP."

    # malformed: the JSON text
    NOT_UTF8 = "not_utf8", "The body is not UTF-8."
    BYTE_ORDER_MARK = "byte_order_mark", "The body begins with a byte order mark."
    SYNTAX = "syntax", "The body is not JSON."
    DUPLICATE_KEY = "duplicate_key", "An object holds a key twice."
    NOT_FINITE = "not_finite", "A number is NaN or infinite."
    NUMBER_TOO_LONG = "number_too_long", "A number has more characters than any honest one."
    NESTING = "nesting", "Lists and objects lie too deep within each other."

    # malformed: what the JSON says
    NO_PREDICTIONS = "no_predictions", "There are no predictions in it."
    PREDICTIONS_TYPE = "predictions_type", "The predictions are not a list."
    SHAPE = "shape", "A tensor's shape does not fit its data."
    COUNT = "count", "There are not as many predictions as rows were sent."
    LABEL_BOOL = "label_bool", "A label is true or false."
    LABEL_STRING = "label_string", "A label is a text."
    LABEL_NULL = "label_null", "A label is null, which is how KServe writes NaN."
    LABEL_ZERO = "label_zero", "A label is 0; it is never guessed which of -1 and 1 is meant."
    LABEL_NUMBER = "label_number", "A label is another number than -1 and 1."
    LABEL_UNMAPPED = "label_unmapped", "A label is none of those that are declared for the model."
    LABEL_TYPE = "label_type", "A label is a list or an object: perhaps the model's output is another."
    SCORE_COLUMN = "score_column", "A row has no such column or key as is declared to hold the score."
    SCORE_VALUE = "score_value", "A score is no number."
    NOT_PROBABILITIES = "not_probabilities", "The numbers of a row do not add up to 1, or one is negative."
    ROW_TYPE = "row_type", "A row of a forecast or of probabilities is not a list."
    ROW_WIDTH = "row_width", "Rows are empty, not equally wide, or not as wide as declared."
    ROW_VALUE = "row_value", "A row of a forecast or of probabilities holds something that is no number."
    MODEL_NAME = "model_name", "The answer is another model's."
    MODEL_VERSION = "model_version", "The model's version is no short printable text."

    # skipped: hubctl itself did not ask
    LATE = "late", "Its turn came so late that it was given up: hubctl, or its machine, was too busy."
    NO_SLOT = "no_slot", "As many polls as may be were under way, over all or to this spoke, until it was too late."
    BREAKER_OPEN = "breaker_open", "It failed several times in a row and is asked less often for a while."
    RETRY_AFTER = "retry_after", "It said when it may be asked again, and that is not yet."
    CAPACITY = "capacity", "The fleet is larger than the bounds of polling allow."
    ENGINE = "engine", "What makes the rounds failed."
    WORKER_LOST = "worker_lost", "The worker that was to ask it ended or did not answer in time, or there is none."
    # golden_mismatch
    GOLDEN_OTHER_VERSION = "golden_other_version", "The golden rows are answered as another known version answers them."
    GOLDEN_DIFFERS = "golden_differs", "The golden rows are answered as no known version answers them."

    # ok, but without a vote: there were no rows to send, the model only said that it is ready
    NO_FEATURES = "no_features", "Nothing says where the model's rows come from."
    NO_ROWS = "no_rows", "The source of rows is empty."
    FEATURES_MISSING = "features_missing", "The file of rows is not there."
    FEATURES_OUTSIDE = "features_outside", "The file of rows lies outside the folder of the inputs."
    FEATURES_UNREADABLE = "features_unreadable", "The file of rows cannot be read."
    FEATURES_TOO_LARGE = "features_too_large", "The source gives more rows than are taken."
    FEATURES_INVALID = "features_invalid", "The source does not give equal-length rows of finite numbers."
    FEATURES_COMMAND = "features_command", "The command that prints rows failed."
    FEATURES_TIMEOUT = "features_timeout", "The command that prints rows took too long."
    METRICS_EMPTY = (
        "metrics_empty",
        "Prometheus answered without a single series: the token may see no spoke, most likely.",
    )
    METRICS_MISSING = "metrics_missing", "Prometheus has no series of this spoke."
    METRICS_UNLABELLED = (
        "metrics_unlabelled",
        "Prometheus has a series without the cluster label, and none of this spoke.",
    )
    METRICS_AMBIGUOUS = "metrics_ambiguous", "Prometheus has several series of this spoke for one metric."
    METRICS_STALE = "metrics_stale", "The newest value is missing: the spoke's metrics have stopped, or come in late."
    METRICS_GAP = "metrics_gap", "A value that the rows need is missing; none is made up."
    METRICS_NOT_FINITE = "metrics_not_finite", "A value that the rows need is NaN or infinite, or makes one that is."
    METRICS_PARTIAL = (
        "metrics_partial",
        "The answer comes with warnings: a part of what Prometheus should know is missing.",
    )
    METRICS_DENIED = "metrics_denied", "Prometheus, or a proxy before it, did not accept the token, or wants one."
    METRICS_REFUSED = "metrics_refused", "Prometheus did not take the query."
    METRICS_OVERLOADED = "metrics_overloaded", "Prometheus has too much to do."
    METRICS_TIMEOUT = "metrics_timeout", "Prometheus took longer than the source's timeout."
    METRICS_UNREACHABLE = "metrics_unreachable", "Prometheus was not reached, or its certificate is not trusted."
    METRICS_TOO_LARGE = "metrics_too_large", "The answer is larger than the source's maxBodyBytes."
    METRICS_MALFORMED = "metrics_malformed", "The answer is none of the Prometheus HTTP API to a range query."
    METRICS_CREDENTIALS = "metrics_credentials", "The source's token or CA bundle cannot be read; nothing was asked."
