"""The setting jwt|opaque is read once, where it chooses what is issued: there is no second, hidden switch."""

from pathlib import Path


def test_the_setting_is_named_where_it_is_defined_and_at_one_switch(repository: Path) -> None:
    source = repository / "src/authsvc"
    named = {
        file.relative_to(source).as_posix(): count
        for file in source.rglob("*.py")
        if (count := file.read_text().count("token_format"))
    }

    assert named == {"settings.py": 1, "wiring.py": 1}
    assert "match settings.token_format:" in (source / "wiring.py").read_text()
