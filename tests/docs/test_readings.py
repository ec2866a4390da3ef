"""The pages are followed to the letter, each reader's in the order in which they are read."""

from pathlib import Path

import pytest

from tests.docs.accounts import DEVELOPERS, OPERATORS, PROXY
from tests.docs.certificate import write_certificate
from tests.docs.hosts import reading
from tests.docs.pages import AUTHSVC, ROOT, Page
from tests.docs.servers import Program, serving
from tests.docs.software import NGINX
from tests.docs.stacks import nginx_with
from tests.fixtures.processes import free_port

pytestmark = pytest.mark.timeout(300)


def test_a_developer_can_follow_the_readme_and_what_comes_after_it(tmp_path: Path) -> None:
    with reading(tmp_path, at=ROOT) as reader:
        # The README takes a role and a database for granted.
        reader.read_until("docs/production.md", "export ")
        for page in DEVELOPERS:
            reader.read(page)


def test_an_operator_can_install_back_up_restore_upgrade_and_rehearse_an_outage(tmp_path: Path) -> None:
    with reading(tmp_path) as reader:
        for page in OPERATORS:
            reader.read(page)


def test_the_service_answers_through_the_proxy_of_the_page(tmp_path: Path) -> None:
    tls = free_port()
    NGINX.demand()
    (tmp_path / ".curlrc").write_text(
        f'cacert = "{tmp_path}/tls.pem"\nconnect-to = "auth.example.com:443:127.0.0.1:{tls}"\n'
    )
    write_certificate(tmp_path / "tls.pem", tmp_path / "tls.key", "auth.example.com")
    with reading(tmp_path) as reader:
        reader.read_until("docs/production.md", "authsvc doctor")
        page = Page(
            PROXY,
            {
                "443": f"127.0.0.1:{tls}",
                str(AUTHSVC): str(reader.port),
                "/etc/ssl/auth.example.com": f"{tmp_path}/tls",
            },
        )
        nginx = Program("nginx", nginx_with(page, tmp_path), folder=tmp_path, port=tls)
        with serving(nginx):
            reader.read(PROXY)
