"""The composition root: settings go in, services come out, and settings stop here."""

from dataclasses import dataclass
from datetime import timedelta

from authsvc.accounts import Accounts
from authsvc.clean_up import CleanUp
from authsvc.clients import Clients
from authsvc.clock import Clock, SharedClock, system_clock
from authsvc.grants.client_credentials import ClientCredentialsGrant
from authsvc.grants.issuing import TokenIssuer
from authsvc.grants.known_sessions import KnownSessions
from authsvc.grants.password import PasswordGrant
from authsvc.grants.refresh_token import RefreshTokenGrant
from authsvc.introspection import Introspector
from authsvc.known_addresses import KnownAddresses
from authsvc.password_policy import PasswordPolicy
from authsvc.passwords import PasswordHasher
from authsvc.remembered_clients import RememberedClients
from authsvc.revocation import Revoker
from authsvc.server_keys import ServerKeys
from authsvc.sessions import SessionLimits, Sessions
from authsvc.settings import Settings
from authsvc.stand_in_hashes import StandInHashes
from authsvc.storage import access_tokens
from authsvc.storage import accounts as account_rows
from authsvc.storage import clients as client_rows
from authsvc.storage import sessions as session_rows
from authsvc.storage.database_time import Timekeeper
from authsvc.storage.guess_slots import Limit
from authsvc.storage.outage import OutageWatch
from authsvc.storage.purge import Purge
from authsvc.storage.session_uses import SessionUses
from authsvc.storage.sign_ins import SignIns
from authsvc.storage.standing import Standings
from authsvc.storage.stores import Stores
from authsvc.throttling import Throttle
from authsvc.tokens.access_token import AccessTokenFormat
from authsvc.tokens.audiences import Audiences
from authsvc.tokens.jwt import JwtFormat
from authsvc.tokens.key_material import KeyMaterial
from authsvc.tokens.key_rotation import KeyRotation
from authsvc.tokens.keys import KeyRing
from authsvc.tokens.opaque import OpaqueFormat
from authsvc.tokens.refresh_handle import RefreshHandles
from authsvc.tokens.refused_texts import RefusedTexts
from authsvc.tokens.row_memory import RowMemory
from authsvc.tokens.verified_cache import VerifiedCache
from authsvc.tokens.verifier import TokenVerifier


@dataclass(frozen=True)
class Services:
    """Everything an endpoint or a command may use."""

    stores: Stores
    accounts: Accounts
    clients: Clients
    sessions: Sessions
    password_grant: PasswordGrant
    refresh_token_grant: RefreshTokenGrant
    client_credentials_grant: ClientCredentialsGrant
    introspector: Introspector
    revoker: Revoker
    verifier: TokenVerifier
    keys: KeyRing
    key_rotation: KeyRotation
    audiences: Audiences
    clean_up: CleanUp
    hasher: PasswordHasher
    clock: Clock
    timekeeper: Timekeeper | None
    issuer: str
    issues_stateless: bool
    jwks_max_age_seconds: int
    max_body_bytes: int

    async def reload(self) -> None:
        """Read again what other instances may have changed.

        Raises:
            Unavailable: the database is away.
        """
        await self.keys.load()
        await self.audiences.load()


# long: the whole composition is read in one place, from top to bottom
def build_services(settings: Settings, *, clock: Clock = system_clock) -> Services:
    """Return services that nothing has been asked of yet."""
    stores = build_stores(settings, clock=clock)
    database, delivery = stores.database, stores.delivery
    server_keys = build_server_keys(settings)
    material = KeyMaterial(server_keys)
    audience = settings.audience_or_issuer
    keys = KeyRing(database, material, clock)
    audiences = Audiences(database, audience)
    limits = SessionLimits(
        idle=timedelta(seconds=settings.session_idle_seconds),
        absolute=timedelta(seconds=settings.session_max_seconds),
    )
    sessions = Sessions(
        database,
        delivery,
        limits,
        settings.access_token_lifetime,
        session_rows.count_of_alive(database),
        clock,
    )
    clients = Clients(
        database, client_rows.lookups(database), delivery, RememberedClients(stores.denylist, clock), clock
    )
    hasher = build_hasher(settings)
    throttle = build_throttle(settings, stores, server_keys, clock)
    policy = PasswordPolicy(settings.password_min_length, settings.password_min_score, hasher)
    stand_ins = StandInHashes(server_keys.current, hasher.policy_prefix)
    account_lookups = account_rows.lookups(database)
    accounts = Accounts(database, account_lookups, sessions, hasher, throttle, stand_ins, policy, clock)
    jwt = JwtFormat(
        database,
        delivery,
        Standings(database, stores.denylist),
        keys,
        audiences,
        settings.issuer,
        settings.jwt_typ,
        VerifiedCache(),
        RefusedTexts(),
        clock,
    )
    opaque = OpaqueFormat(
        database,
        access_tokens.lookups(database),
        access_tokens.rows(database),
        access_tokens.state_rows(database),
        RowMemory(),
        server_keys,
        settings.issuer,
        clock,
    )
    verifier = TokenVerifier(jwt, opaque)
    handles = RefreshHandles(server_keys)
    issuing_format = choose_issuing_format(settings, jwt, opaque)
    rotation = KeyRotation(
        database,
        delivery,
        material,
        settings.signing_algorithm,
        timedelta(seconds=settings.jwks_max_age_seconds),
        timedelta(seconds=settings.signing_key_seconds) or None,
        clock,
    )
    issuer = TokenIssuer(issuing_format, handles, settings.access_token_lifetime, limits, audience, clock)
    overlap = timedelta(seconds=settings.refresh_overlap_seconds)
    refresh = RefreshTokenGrant(
        database,
        session_rows.lookups(database),
        KnownSessions(),
        SessionUses(database),
        handles,
        server_keys,
        issuer,
        sessions,
        overlap,
        clock,
    )
    return Services(
        stores=stores,
        accounts=accounts,
        clients=clients,
        sessions=sessions,
        password_grant=PasswordGrant(
            SignIns(database), accounts, sessions, issuer, server_keys, settings.sessions_per_account, clock
        ),
        refresh_token_grant=refresh,
        client_credentials_grant=ClientCredentialsGrant(database, issuer),
        introspector=Introspector(verifier, refresh, settings.issuer, clock),
        revoker=Revoker(verifier, refresh, sessions, clients),
        verifier=verifier,
        keys=keys,
        key_rotation=rotation,
        audiences=audiences,
        clean_up=CleanUp(
            Purge(database, limits.idle, limits.absolute),
            rotation,
            clock,
            timedelta(seconds=settings.purge_seconds),
        ),
        hasher=hasher,
        clock=clock,
        timekeeper=Timekeeper(database, clock) if isinstance(clock, SharedClock) else None,
        issuer=settings.issuer,
        issues_stateless=issuing_format is jwt,
        jwks_max_age_seconds=settings.jwks_max_age_seconds,
        max_body_bytes=settings.max_body_kib * 1024,
    )


def choose_issuing_format(settings: Settings, jwt: JwtFormat, opaque: OpaqueFormat) -> AccessTokenFormat:
    """Return the format to issue from now on; both are always judged."""
    match settings.token_format:
        case "jwt":
            return jwt
        case "opaque":
            return opaque


def build_stores(settings: Settings, *, clock: Clock = system_clock, is_patient: bool = False) -> Stores:
    """Return the stores, not connected yet; *is_patient* ones wait for a slow statement."""
    return Stores.at(
        settings.database_url.get_secret_value(),
        None if settings.redis_url is None else settings.redis_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        database_timeout_seconds=settings.database_timeout_seconds,
        redis_timeout_seconds=settings.redis_timeout_seconds,
        clock=clock,
        prepares=settings.database_prepared_statements,
        outages=OutageWatch(clock, timedelta(seconds=settings.refresh_overlap_seconds)),
        is_patient=is_patient,
    )


def build_server_keys(settings: Settings) -> ServerKeys:
    """Return the working keys of the configured secrets."""
    return ServerKeys([secret.get_secret_value() for secret in settings.secret_keys])


def build_throttle(settings: Settings, stores: Stores, server_keys: ServerKeys, clock: Clock) -> Throttle:
    """Return what counts guesses at passwords."""
    return Throttle(
        stores.guess_counters,
        of_pair=Limit("account and address", settings.guesses_per_account_and_address),
        of_address=Limit("address", settings.guesses_per_address),
        of_account=Limit("account", settings.guesses_per_account),
        server_keys=server_keys,
        known_addresses=KnownAddresses(server_keys),
        clock=clock,
    )


def build_hasher(settings: Settings) -> PasswordHasher:
    """Return the password hasher at the configured cost."""
    return PasswordHasher(
        memory_kib=settings.hash_memory_kib,
        passes=settings.hash_passes,
        lanes=settings.hash_lanes,
        threads=settings.hash_threads,
        niceness=settings.hash_niceness,
        max_wait_seconds=settings.hash_max_wait_seconds,
    )
