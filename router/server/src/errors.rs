//! Every error code of the gateway, in one table: its name, its HTTP status, and when the status is used.
//!
//! GraphQL over HTTP (section 6.4): with `application/graphql-response+json` a request that cannot be executed has the
//! status of its code; with `application/json` an error *of the GraphQL request* has 200, and only an error of the HTTP
//! request keeps its status. Codes are stable: clients may depend on them.

mod refusal;

use http::StatusCode;

pub use refusal::{Cost, Extensions, GraphqlError, Location, Refusal};

/// Why a request is refused before anything is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The body is not JSON (or not UTF-8, or a number is out of range).
    InvalidJson,
    /// The JSON is no GraphQL request.
    BadRequest,
    /// `variables` is not an object.
    InvalidVariables,
    /// An array of requests; batching is off.
    BatchingDisabled,
    /// An array of more requests than `batching.max`.
    BatchTooLarge,
    /// The body is larger than `limits.body_bytes`.
    BodyTooLarge,
    /// The body takes longer than `limits.body_timeout`.
    BodyTooSlow,
    /// Headers are larger than `limits.header_bytes`.
    HeadersTooLarge,
    /// The body is nested deeper than `limits.json_depth`.
    JsonTooDeep,
    /// The body has more values than `limits.json_values`.
    JsonTooManyValues,
    /// `variables` is larger than `limits.variables_bytes`.
    VariablesTooLarge,
    /// `variables` is nested deeper than `limits.variables_depth`.
    VariablesTooDeep,
    /// `variables` has more values than `limits.variables_values`.
    VariablesTooManyValues,
    /// The content type is not `application/json`.
    UnsupportedMediaType,
    /// The body is compressed in a way that is not known, or not wanted.
    UnsupportedEncoding,
    /// No acceptable content type can be made.
    NotAcceptable,
    /// Neither GET nor POST.
    MethodNotAllowed,
    /// A mutation by GET.
    MutationByGet,
    /// A request a browser would send for any page.
    CsrfRefused,
    /// A WebSocket from a page of a foreign origin.
    ForeignOrigin,
    /// Several `Authorization` headers.
    AmbiguousAuthorization,
    /// The token is refused.
    InvalidToken,
    /// The token's issuer has withdrawn it.
    TokenRevoked,
    /// `auth.required`, and there is no token.
    TokenRequired,
    /// The issuer's keys cannot be had.
    AuthUnavailable,
    /// The issuer that people log in with on the page cannot be asked.
    LoginUnavailable,
    /// No supergraph is served yet.
    NotReady,
    /// The gateway is stopping.
    ShuttingDown,
    /// More requests at once than `traffic.shed` lets in.
    Overloaded,
    /// More requests than `traffic.rate_limits` allow.
    RateLimited,
    /// A failure of the gateway itself.
    Internal,
    /// No query is known by this hash: the client sends it in full then (automatic persisted queries).
    PersistedQueryNotFound,
    /// `apq.enabled` is false: the client sends queries in full from now on.
    PersistedQueryNotSupported,
    /// A query that its hash is not the hash of.
    PersistedQueryMismatch,
    /// `extensions.persistedQuery` that is none, or of another version.
    PersistedQueryInvalid,
    /// No document of the manifest has this id.
    PersistedDocumentNotFound,
    /// `persisted_documents.only`: this one is not in the manifest.
    PersistedDocumentRequired,
    /// A multipart body that is no request with files.
    UploadInvalid,
    /// More or larger files than `uploads` allows.
    UploadTooLarge,
    /// Files that cannot be passed on as they come.
    UploadNotStreamable,
    /// A syntax error in the query.
    ParseFailed,
    /// The query does not fit the schema.
    ValidationFailed,
    /// Which operation is meant is unclear, or it does not exist.
    OperationUnknown,
    /// A variable has no or a wrong value.
    BadUserInput,
    /// A subscription outside a WebSocket.
    SubscriptionNeedsWebSocket,
    /// `introspection.enabled` is false.
    IntrospectionDisabled,
    /// Introspection deeper than `limits.introspection_depth`, or nested so that its answer would explode.
    IntrospectionTooDeep,
    /// Introspection with more values in its answer than `limits.introspection_values`.
    IntrospectionTooLarge,
    /// More tokens than `limits.tokens`.
    TooManyTokens,
    /// Nested higher than `limits.height`.
    TooHigh,
    /// Fields nested deeper than `limits.depth`.
    TooDeep,
    /// More aliases than `limits.aliases`.
    TooManyAliases,
    /// More root fields than `limits.root_fields`.
    TooManyRootFields,
    /// More fields than `limits.fields`, fragments expanded.
    TooManyFields,
    /// More fragments than `limits.fragments`, expanded.
    TooManyFragments,
    /// More operations in a document than `limits.operations`.
    DocumentTooLarge,
    /// More directives than `limits.directives` in one place.
    TooManyDirectives,
    /// A higher cost than `limits.cost.budget`.
    TooDear,
    /// A list whose length must be told (`@listSize(requireOneSlicingArgument: true)`) is not.
    SliceUnsaid,
    /// No plan within the planner's budget.
    PlanTooExpensive,
    /// No plan at all: a defect of the supergraph. The operation is valid, so that this is an answer: without data.
    PlanFailed,
    /// More operations than `websocket.max_operations` on one connection.
    TooManyOperations,
    /// More connections for streams than `websocket.max_connections`, or of one user.
    TooManyConnections,
    /// No event stream is reserved by this token.
    StreamUnknown,
    /// An event stream, or an operation on it, that is there already.
    StreamConflict,
}

/// Whom a status is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// An error of the HTTP request: the status is always sent.
    Http,
    /// An error of the GraphQL request: 200 with `application/json`.
    Graphql,
    /// An answer in which `data` is null: the status is that of an answer.
    Answer,
}

impl Code {
    const fn row(self) -> (&'static str, u16, Reach) {
        use Reach::{Answer, Graphql, Http};
        match self {
            Code::InvalidJson => ("INVALID_JSON", 400, Http),
            Code::BadRequest => ("BAD_REQUEST", 400, Http),
            Code::InvalidVariables => ("INVALID_VARIABLES", 400, Http),
            Code::BatchingDisabled => ("BATCHING_DISABLED", 400, Http),
            Code::BatchTooLarge => ("BATCH_TOO_LARGE", 400, Http),
            Code::BodyTooLarge => ("BODY_TOO_LARGE", 413, Http),
            Code::BodyTooSlow => ("BODY_TOO_SLOW", 408, Http),
            Code::HeadersTooLarge => ("HEADERS_TOO_LARGE", 431, Http),
            Code::JsonTooDeep => ("JSON_TOO_DEEP", 400, Http),
            Code::JsonTooManyValues => ("JSON_TOO_MANY_VALUES", 413, Http),
            Code::VariablesTooLarge => ("VARIABLES_TOO_LARGE", 413, Http),
            Code::VariablesTooDeep => ("VARIABLES_TOO_DEEP", 400, Http),
            Code::VariablesTooManyValues => ("VARIABLES_TOO_MANY_VALUES", 413, Http),
            Code::UnsupportedMediaType => ("UNSUPPORTED_MEDIA_TYPE", 415, Http),
            Code::UnsupportedEncoding => ("UNSUPPORTED_CONTENT_ENCODING", 415, Http),
            Code::NotAcceptable => ("NOT_ACCEPTABLE", 406, Http),
            Code::MethodNotAllowed => ("METHOD_NOT_ALLOWED", 405, Http),
            Code::MutationByGet => ("MUTATION_BY_GET", 405, Http),
            Code::CsrfRefused => ("CSRF_REFUSED", 400, Http),
            Code::ForeignOrigin => ("FOREIGN_ORIGIN", 403, Http),
            Code::AmbiguousAuthorization => ("AMBIGUOUS_AUTHORIZATION", 400, Http),
            Code::InvalidToken => ("INVALID_TOKEN", 401, Http),
            Code::TokenRevoked => ("TOKEN_REVOKED", 401, Http),
            Code::TokenRequired => ("TOKEN_REQUIRED", 401, Http),
            Code::AuthUnavailable => ("AUTH_UNAVAILABLE", 503, Http),
            Code::LoginUnavailable => ("LOGIN_UNAVAILABLE", 503, Http),
            Code::NotReady => ("SUPERGRAPH_NOT_READY", 503, Http),
            Code::ShuttingDown => ("SHUTTING_DOWN", 503, Http),
            Code::Overloaded => ("OVERLOADED", 503, Http),
            Code::RateLimited => ("RATE_LIMITED", 429, Http),
            Code::Internal => ("INTERNAL_ERROR", 500, Http),
            Code::PersistedQueryNotFound => ("PERSISTED_QUERY_NOT_FOUND", 400, Graphql),
            Code::PersistedQueryNotSupported => ("PERSISTED_QUERY_NOT_SUPPORTED", 400, Graphql),
            Code::PersistedQueryMismatch => ("PERSISTED_QUERY_HASH_MISMATCH", 400, Graphql),
            Code::PersistedQueryInvalid => ("PERSISTED_QUERY_INVALID", 400, Graphql),
            Code::PersistedDocumentNotFound => ("PERSISTED_DOCUMENT_NOT_FOUND", 400, Graphql),
            Code::PersistedDocumentRequired => ("PERSISTED_DOCUMENT_REQUIRED", 400, Graphql),
            Code::UploadInvalid => ("UPLOAD_INVALID", 400, Http),
            Code::UploadTooLarge => ("UPLOAD_TOO_LARGE", 413, Http),
            Code::UploadNotStreamable => ("UPLOAD_NOT_STREAMABLE", 400, Graphql),
            Code::ParseFailed => ("GRAPHQL_PARSE_FAILED", 400, Graphql),
            Code::ValidationFailed => ("GRAPHQL_VALIDATION_FAILED", 400, Graphql),
            Code::OperationUnknown => ("OPERATION_RESOLUTION_FAILURE", 400, Graphql),
            Code::BadUserInput => ("BAD_USER_INPUT", 400, Graphql),
            Code::SubscriptionNeedsWebSocket => ("SUBSCRIPTION_NEEDS_WEBSOCKET", 400, Graphql),
            Code::IntrospectionDisabled => ("INTROSPECTION_DISABLED", 400, Graphql),
            Code::IntrospectionTooDeep => ("INTROSPECTION_TOO_DEEP", 400, Graphql),
            Code::IntrospectionTooLarge => ("INTROSPECTION_TOO_LARGE", 400, Graphql),
            Code::TooManyTokens => ("TOKEN_LIMIT_EXCEEDED", 400, Graphql),
            Code::TooHigh => ("HEIGHT_LIMIT_EXCEEDED", 400, Graphql),
            Code::TooDeep => ("DEPTH_LIMIT_EXCEEDED", 400, Graphql),
            Code::TooManyAliases => ("ALIAS_LIMIT_EXCEEDED", 400, Graphql),
            Code::TooManyRootFields => ("ROOT_FIELD_LIMIT_EXCEEDED", 400, Graphql),
            Code::TooManyFields => ("FIELD_LIMIT_EXCEEDED", 400, Graphql),
            Code::TooManyFragments => ("FRAGMENT_LIMIT_EXCEEDED", 400, Graphql),
            Code::DocumentTooLarge => ("OPERATION_LIMIT_EXCEEDED", 400, Graphql),
            Code::TooManyDirectives => ("DIRECTIVE_LIMIT_EXCEEDED", 400, Graphql),
            Code::TooDear => ("COST_LIMIT_EXCEEDED", 400, Graphql),
            Code::SliceUnsaid => ("SLICING_ARGUMENT_REQUIRED", 400, Graphql),
            Code::PlanTooExpensive => ("PLAN_BUDGET_EXCEEDED", 400, Graphql),
            Code::PlanFailed => ("PLAN_FAILED", 200, Answer),
            Code::TooManyOperations => ("TOO_MANY_OPERATIONS", 429, Graphql),
            Code::TooManyConnections => ("TOO_MANY_CONNECTIONS", 503, Http),
            Code::StreamUnknown => ("EVENT_STREAM_UNKNOWN", 404, Http),
            Code::StreamConflict => ("EVENT_STREAM_CONFLICT", 409, Http),
        }
    }

    /// The stable name, as in `extensions.code`.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// Whether the refusal is an answer to a valid operation, with `data` present and null.
    pub fn is_answer(self) -> bool {
        self.row().2 == Reach::Answer
    }

    /// The HTTP status when nothing was executed. `plain` is a client that asked for `application/json`.
    pub fn status(self, plain: bool) -> StatusCode {
        let (_, status, reach) = self.row();
        let status = if plain && reach == Reach::Graphql {
            200
        } else {
            status
        };
        StatusCode::from_u16(status).expect("the table holds valid statuses")
    }
}

/// Codes of errors inside an answer: a subgraph did not do its part. (Codes a subgraph sends itself pass through.)
pub mod subgraph_codes {
    /// No connection.
    pub const UNREACHABLE: &str = "SUBGRAPH_UNREACHABLE";
    /// No whole answer in time.
    pub const TIMEOUT: &str = "SUBGRAPH_TIMEOUT";
    /// An HTTP error without a GraphQL body.
    pub const HTTP_ERROR: &str = "SUBGRAPH_HTTP_ERROR";
    /// An answer larger than `traffic.response_bytes`.
    pub const TOO_LARGE: &str = "SUBGRAPH_RESPONSE_TOO_LARGE";
    /// An answer that is no GraphQL response.
    pub const MALFORMED: &str = "SUBGRAPH_MALFORMED_RESPONSE";
    /// More waits for a client than may.
    pub const SLOW_CONSUMER: &str = "SLOW_CONSUMER";
    /// Too many calls to it at once (`traffic.bulkhead`); it was not asked.
    pub const BUSY: &str = "SUBGRAPH_BUSY";
    /// Too many calls to it failed of late (`traffic.breaker`); it was not asked.
    pub const CIRCUIT_OPEN: &str = "SUBGRAPH_CIRCUIT_OPEN";
    /// It was not asked: a layer of the program that embeds the gateway refused the call.
    pub const REFUSED: &str = "SUBGRAPH_CALL_REFUSED";
    /// The stream of a subscription was cut: resume by a cursor, if the subscription has one.
    pub const STREAM_LOST: &str = "SUBSCRIPTION_LOST";
    /// A cursor that is none of this subscription.
    pub const CURSOR_INVALID: &str = "CURSOR_INVALID";
    /// The events after a cursor are no longer kept.
    pub const CURSOR_EXPIRED: &str = "CURSOR_EXPIRED";
    /// A change of the schema ended the subscription: it is not valid any more, or not for this caller.
    pub const SCHEMA_CHANGED: &str = "SUBSCRIPTION_SCHEMA_CHANGED";
    /// The subgraph refused the subscription's connection.
    pub const STREAM_REFUSED: &str = "SUBSCRIPTION_REFUSED";
}

/// Codes of refused purges of the response cache.
pub mod purge_codes {
    /// Without the secret.
    pub const UNAUTHORIZED: &str = "PURGE_UNAUTHORIZED";
    /// Not what can be purged.
    pub const INVALID: &str = "PURGE_INVALID";
    /// Answers are kept in Redis, and it is away.
    pub const UNAVAILABLE: &str = "PURGE_UNAVAILABLE";
}
