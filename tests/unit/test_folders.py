"""A folder is a path that resources have; names stay unique whatever the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelldock.errors import ConflictError, InputError, NotFoundError
from shelldock.folders import place
from shelldock.inventory import Inventory
from shelldock.model import Shell
from shelldock.store import Store
from shelldock.vault import Vault

SHELL = Shell(name="Switch", model="Switch", path=Path("/nowhere"))


@pytest.fixture
def inventory(store: Store) -> Inventory:
    made = Inventory(store, Vault.ephemeral(), lambda _: SHELL)
    for name, folder in (("a", "Lab 1/Rack 3"), ("b", "Lab 1"), ("c", "Lab 10"), ("d", "")):
        made.create(name, SHELL, folder=folder)
    return made


def names(inventory: Inventory, within: str = "") -> list[str]:
    return [one.name for one in inventory.resources(within)]


def test_a_folder_lists_what_is_in_it_and_in_folders_inside(inventory: Inventory) -> None:
    assert names(inventory, "Lab 1") == ["a", "b"]
    assert names(inventory, "/Lab 1/Rack 3/") == ["a"]
    assert names(inventory) == ["a", "b", "c", "d"]
    assert names(inventory, "Lab 2") == []
    assert inventory.folders() == ["Lab 1", "Lab 1/Rack 3", "Lab 10"]
    assert [one.path for one in inventory.resources()][::3] == ["Lab 1/Rack 3/a", "d"]


def test_a_name_is_taken_in_every_folder(inventory: Inventory) -> None:
    with pytest.raises(ConflictError):
        inventory.create("a", SHELL, folder="Elsewhere")


def test_a_resource_moves_and_stays_itself(inventory: Inventory, store: Store) -> None:
    before = inventory.resource("a")
    moved = inventory.set("a", folder="Lab 2 / Rack 1")
    assert (moved.folder, moved.id) == ("Lab 2/Rack 1", before.id)
    again = Inventory(store, Vault.ephemeral(), lambda _: SHELL)
    assert again.folders() == ["Lab 1", "Lab 2", "Lab 2/Rack 1", "Lab 10"]
    assert again.set("a", folder="").path == "a"


@pytest.mark.parametrize(
    ("new", "folders"),
    [
        ("Site/Lab A", ["Lab 10", "Site", "Site/Lab A", "Site/Lab A/Rack 3"]),
        ("Lab 10", ["Lab 10", "Lab 10/Rack 3"]),
        ("", ["Lab 10", "Rack 3"]),
        ("Lab 1/Old", ["Lab 1", "Lab 1/Old", "Lab 1/Old/Rack 3", "Lab 10"]),
    ],
)
def test_a_folder_moves_with_all_in_it(
    inventory: Inventory, store: Store, new: str, folders: list[str]
) -> None:
    assert [one.name for one in inventory.move_folder("Lab 1", new)] == ["a", "b"]
    assert inventory.folders() == folders
    assert Inventory(store, Vault.ephemeral(), lambda _: SHELL).folders() == folders


def test_what_another_host_put_into_a_folder_moves_with_it(
    inventory: Inventory, store: Store
) -> None:
    assert len(inventory.resources("Lab 1")) == 2
    Inventory(store, Vault.ephemeral(), lambda _: SHELL).create("e", SHELL, folder="Lab 1")
    assert [one.name for one in inventory.move_folder("Lab 1", "x")] == ["a", "b", "e"]


@pytest.mark.parametrize("old", ["Lab 2", "", "Rack 3"])
def test_a_folder_without_resources_is_not_there(inventory: Inventory, old: str) -> None:
    with pytest.raises(NotFoundError):
        inventory.move_folder(old, "Elsewhere")


@pytest.mark.parametrize("path", ["a//b", "a/../b", "a\nb", "a?", "x" * 1001, "a/ /b"])
def test_a_path_that_is_none_is_refused(inventory: Inventory, path: str) -> None:
    with pytest.raises(InputError, match="cannot call a folder"):
        inventory.set("a", folder=path)
    assert place(" /Lab 1/ ") == "Lab 1"


def test_a_part_lies_where_its_root_does(inventory: Inventory) -> None:
    with pytest.raises(InputError, match="'a/P1' lies where 'a' does"):
        inventory.set("a/P1", folder="Lab 1")


def test_a_resource_is_found_by_its_path_also_when_another_host_has_just_added_it(
    inventory: Inventory, store: Store
) -> None:
    assert inventory.at("Lab 1/Rack 3/a").name == "a"
    Inventory(store, Vault.ephemeral(), lambda _: SHELL).create("e", SHELL, folder="Lab 1/Rack 3")
    assert inventory.at("Lab 1/Rack 3/e").name == "e"
    for path in ("Lab 1/a", "Rack 3/a", "Lab 1/Rack 3/b", "Lab 1/Rack 3"):
        with pytest.raises(NotFoundError, match=f"'{path}'"):
            inventory.at(path)
