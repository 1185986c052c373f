"""Every form in which CloudShell's shells come is read, and what is none is refused by name and reason."""

from __future__ import annotations

import io
import zipfile

import pytest
from tests.unit.cloudshell.conftest import DEFINITION, DRIVER, META, METADATA, Pack, Write

from shelldock.errors import ShellError
from shelldock.model import Command, Discovery, Parameter, Shell
from shelldock_cloudshell.reader import Reader

SOURCES: dict[str, str | bytes] = {
    "driver.py": DRIVER,
    "drivermetadata.xml": METADATA,
    "requirements.txt": "",
}


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def in_src(files: dict[str, str | bytes]) -> dict[str, str | bytes]:
    return {f"src/{name}": content for name, content in files.items()}


def package() -> dict[str, str | bytes]:
    return {
        "TOSCA-Metadata/TOSCA.meta": META,
        "shell-definition.yaml": DEFINITION,
        "DemoBoxDriver.zip": zipped(SOURCES),
    }


def is_demo_box(shell: Shell | None) -> bool:
    assert shell is not None
    assert (shell.name, shell.version, shell.author) == ("Demo Box", "1.0.0", "A. Author")
    assert (shell.description, shell.generation, shell.kind) == (
        "A box for demonstrations",
        2,
        "resource",
    )
    assert (shell.model, shell.family, shell.concurrent) == ("Demo Box", "CS_GenericResource", True)
    driver = shell.driver
    assert driver is not None
    assert (driver.name, driver.version, driver.main_class) == (
        "DemoBoxDriver",
        "1.2.0",
        "driver.DemoBoxDriver",
    )
    assert (driver.python, driver.complete, driver.requirements) == ("3", True, None)
    assert (driver.source / "driver.py").is_file()
    assert driver.commands == (
        Command(name="keep_alive", category="Hidden Commands", hidden=True, cancellable=True),
        Command(
            name="ping",
            label="Ping",
            parameters=(Parameter(name="count", default="1", choices=("1", "5")),),
        ),
        Command(name="get_inventory", hidden=True, declared=False),
    )
    return True


def test_a_package_is_read_P1(reader: Reader, pack: Pack) -> None:
    path = pack(package())
    shell = reader.read(path)
    assert is_demo_box(shell)
    assert shell is not None
    assert shell.path == path
    speed = shell.attribute("speed")
    assert speed is not None
    assert (speed.name, speed.default, speed.choices) == ("Demo Box.speed", "10", ("10", "100"))


def test_reading_twice_gives_the_same_shell_and_unpacks_once(reader: Reader, pack: Pack) -> None:
    path = pack(package())
    assert reader.read(path) == reader.read(path)


@pytest.mark.parametrize(
    "files",
    [
        {**in_src(SOURCES), "shell-definition.yaml": DEFINITION, "TOSCA-Metadata/TOSCA.meta": META},
        {**in_src(SOURCES), "shell-definition.yaml": DEFINITION},
        {**SOURCES, "shell-definition.yaml": DEFINITION},
    ],
    ids=["P3 project", "P3 project without TOSCA.meta", "P3 definition beside the driver"],
)
def test_a_project_is_read(reader: Reader, write: Write, files: dict[str, str | bytes]) -> None:
    assert is_demo_box(reader.read(write(files)))


def test_an_archive_of_a_project_folder_is_read(reader: Reader, pack: Pack) -> None:
    project = {**in_src(SOURCES), "shell-definition.yaml": DEFINITION}
    assert is_demo_box(
        reader.read(pack({f"demo-box-main/{name}": one for name, one in project.items()}))
    )


@pytest.mark.parametrize(
    "meta",
    [
        "Entry-Definitions: my definition.yaml",
        "\n\nCreated-By: me: myself\n\nEntry-Definitions:my definition.yaml\n\n",
        "entry-definitions :  my definition.yaml  \r\nno colon here\r\n",
    ],
    ids=["P2 no final newline", "P2 blank lines and colons", "P2 case and carriage returns"],
)
def test_tosca_meta_is_read_tolerantly(reader: Reader, pack: Pack, meta: str) -> None:
    files = package()
    files["my definition.yaml"] = files.pop("shell-definition.yaml")
    files["TOSCA-Metadata/TOSCA.meta"] = meta
    assert is_demo_box(reader.read(pack(files, "a package with blanks.zip")))


def test_a_missing_icon_is_tolerated_p2(reader: Reader, pack: Pack) -> None:
    files = package()
    icon = "artifacts:\n      icon: {file: gone.png, type: tosca.artifacts.File}\n"
    changed = DEFINITION.replace("artifacts:\n", icon)
    assert changed != DEFINITION
    assert is_demo_box(reader.read(pack(files | {"shell-definition.yaml": changed})))


@pytest.mark.parametrize(
    "imports",
    [
        "",
        "imports: []\n",
        "imports:\n  - cloudshell_standard: nowhere.yaml\n  - cloudshell_types: /gone/types.yaml\n",
        "imports: [plain.yaml]\n",
        "imports: http://192.0.2.1/standard.yaml\n",
    ],
)
def test_the_standards_that_are_imported_are_never_looked_for_p6(
    reader: Reader, pack: Pack, imports: str
) -> None:
    given = "imports:\n  - cloudshell_standard: cloudshell_resource_standard_2_0_3.yaml\n"
    changed = DEFINITION.replace(given, imports)
    assert changed != DEFINITION
    assert is_demo_box(reader.read(pack(package() | {"shell-definition.yaml": changed})))


def test_a_package_without_driver_is_a_shell_without_driver_P2(reader: Reader, pack: Pack) -> None:
    files = package()
    del files["DemoBoxDriver.zip"]
    shell = reader.read(pack(files))
    assert shell is not None
    assert (shell.name, shell.driver) == ("Demo Box", None)


def test_a_shell_may_be_an_import_package_too(reader: Reader, write: Write) -> None:
    assert is_demo_box(reader.read(write({**package(), "__init__.py": "", "setup.py": ""})))
    undescribed = {"src/driver.py": DRIVER, "shell-definition.yaml": DEFINITION, "__init__.py": ""}
    shell = reader.read(write(undescribed, "undescribed"))
    assert shell is not None
    assert shell.driver is not None
    assert shell.driver.main_class == "driver.DemoBoxDriver"


def test_a_bare_driver_folder_is_a_generic_resource_P3(reader: Reader, write: Write) -> None:
    shell = reader.read(write(SOURCES))
    assert shell is not None
    assert (shell.name, shell.version, shell.model) == ("DemoBoxDriver", "1.2.0", "DemoBoxDriver")
    assert (shell.family, shell.kind, shell.concurrent) == ("CS_GenericResource", "resource", False)
    names = {one.name for one in shell.attributes}
    assert {"DemoBoxDriver.User", "CS_GenericResource.Vendor", "Execution Server Selector"} <= names


def test_a_bare_driver_archive_is_read(reader: Reader, pack: Pack) -> None:
    shell = reader.read(pack(SOURCES))
    assert shell is not None
    assert shell.name == "DemoBoxDriver"


def test_python_files_alone_are_a_driver_for_python_3_D1(reader: Reader, write: Write) -> None:
    shell = reader.read(
        write({"box.py": "class BoxDriver:\n    def greet(self, context, name, loud=False): ...\n"})
    )
    assert shell is not None
    assert shell.driver is not None
    assert (shell.name, shell.driver.main_class, shell.driver.python) == (
        "BoxDriver",
        "box.BoxDriver",
        "3",
    )
    assert shell.driver.commands == (
        Command(
            name="greet",
            declared=False,
            parameters=(
                Parameter(name="name", mandatory=True, declared=False),
                Parameter(name="loud", declared=False),
            ),
        ),
    )


def test_the_class_decides_what_exists_and_the_metadata_how_it_looks_D1_D8(
    reader: Reader, write: Write
) -> None:
    shell = reader.read(
        write(
            {
                "drivermetadata.xml": """<Driver Name="d" MainClass="m.D"><Layout>
                <Command Name="gone" DisplayName="Gone"/><Command Name="cleanup" DisplayName="Clean"/>
                <Command Name="save"><Parameters><Parameter Name="vrf"/><Parameter Name="path"/></Parameters></Command>
                <Command Name="get_inventory"/>
                </Layout></Driver>""",
                "m.py": """\
                class D:
                    def initialize(self, context): ...
                    def cleanup(self): ...
                    def get_inventory(self, context): ...
                    def save(self, context, path, ports, cancellation_context, depth=3): ...
                    def power(self, context, ports, request): ...
                """,
            }
        )
    )
    assert shell is not None
    assert shell.driver is not None
    assert shell.driver.complete
    commands = {one.name: one for one in shell.driver.commands}
    assert list(commands) == ["gone", "cleanup", "save", "get_inventory", "power"]
    assert [(one.name, one.declared, one.mandatory) for one in commands["save"].parameters] == [
        ("vrf", True, False),
        ("path", True, False),
        ("ports", False, False),
        ("depth", False, False),
    ]
    assert commands["get_inventory"].hidden
    assert commands["get_inventory"].declared
    assert not commands["power"].declared
    assert not any(one.mandatory for one in commands["power"].parameters)


def test_a_main_class_that_is_not_there_is_read_as_incomplete(reader: Reader, write: Write) -> None:
    shell = reader.read(write({**SOURCES, "driver.py": "class Other: ..."}))
    assert shell is not None
    assert shell.driver is not None
    assert not shell.driver.complete
    assert [one.name for one in shell.driver.commands] == ["keep_alive", "ping"]


# ---- first generation ---------------------------------------------------------------------------

MODEL = """\ufeff<?xml version="1.0" encoding="utf-8"?>
<DataModelInfo xmlns="http://schemas.qualisystems.com/ResourceManagement/DataModelSchema.xsd">
  <Attributes>
    <AttributeInfo Name="User" Type="String" DefaultValue=""><Rules><Rule Name="Configuration"/></Rules></AttributeInfo>
    <AttributeInfo Name="Password" Type="Password" DefaultValue="3M3u7nkDzxWb0aJ/IZYeWw=="/>
    <AttributeInfo Name="Limit" Type="Numeric" DefaultValue=""/>
    <AttributeInfo Name="Mode" Type="Lookup" DefaultValue="a">
      <LookupValues><LookupValue Value="a"/><LookupValue Value="b"/></LookupValues></AttributeInfo>
    <AttributeInfo Name="Shared" Type="Boolean" DefaultValue="false"/>
    <AttributeInfo Name="Foreign" Type="String" DefaultValue="x"/>
  </Attributes>
  <ResourceFamilies>
    <ResourceFamily Name="Box Family">
      <AttachedAttributes><AttachedAttribute Name="Shared"/></AttachedAttributes>
      <Models>{models}</Models>
    </ResourceFamily>
    <ResourceFamily Name="Port"><Models><ResourceModel Name="Generic Port"/></Models></ResourceFamily>
  </ResourceFamilies>
</DataModelInfo>"""
BOX = """<ResourceModel Name="Box" Description="A box" SupportsConcurrentCommands="true">
<AttachedAttributes><AttachedAttribute Name="User"/><AttachedAttribute Name="Password"/>
<AttachedAttribute Name="Limit"/><AttachedAttribute Name="Mode"/></AttachedAttributes>
<AttributeValues><AttributeValue Name="User" Value="root"/><AttributeValue Name="Password" Value="zzz=="/>
</AttributeValues><Drivers><DriverName>{driver}</DriverName></Drivers></ResourceModel>"""
CONFIG = """<ShellsConfiguration xmlns="urn:x"><ResourceTemplates>
<ResourceTemplate Name="Box" Model="Box" Driver="DemoBoxDriver"><AutoLoad Enable="true"><Description/></AutoLoad>
<Attributes><Attribute Name="User" Value=""/><Attribute Name="Password" Value=""/></Attributes>
</ResourceTemplate></ResourceTemplates></ShellsConfiguration>"""


def is_old_box(shell: Shell | None) -> bool:
    assert shell is not None
    assert (shell.generation, shell.model, shell.family) == (1, "Box", "Box Family")
    assert (shell.concurrent, shell.description) == (True, "A box")
    assert {one.name: (one.type, one.default) for one in shell.attributes} == {
        "Shared": ("boolean", "False"),
        "User": ("string", "root"),
        "Password": ("password", ""),
        "Limit": ("float", "0"),
        "Mode": ("string", "a"),
    }
    assert shell.discovery == Discovery(enabled=True, asks=("User", "Password"))
    assert shell.driver is not None
    assert shell.driver.main_class == "driver.DemoBoxDriver"
    assert shell.driver.complete
    return True


def test_a_first_generation_package_is_read_P4(reader: Reader, pack: Pack) -> None:
    path = pack(
        {
            "metadata.xml": "<Metadata/>",
            "DataModel/datamodel.xml": MODEL.format(models=BOX.format(driver="DemoBoxDriver")),
            "Configuration/shellconfig.xml": CONFIG,
            "Resource Drivers - Python/Another Driver.zip": zipped(
                {**SOURCES, "drivermetadata.xml": '<Driver Name="Another" MainClass="driver.X"/>'}
            ),
            "Resource Drivers - Python/DemoBoxDriver.zip": zipped(SOURCES),
        },
        "Old Box.zip",
    )
    shell = reader.read(path)
    assert is_old_box(shell)
    assert shell is not None
    assert (shell.name, shell.version) == ("Old Box", "1.2.0")


def test_a_first_generation_project_is_read_P4(reader: Reader, write: Write) -> None:
    model = BOX.format(driver="DemoBoxDriver")
    shell = reader.read(
        write(
            {
                **in_src(SOURCES),
                "shell.yml": "shell:\n  name: Boxed\n  author: Me\n  version: 3.10\n  driver_name: DemoBoxDriver\n",
                "datamodel/datamodel.xml": MODEL.format(models=""),
                "datamodel/shell_model.xml": f'<ShellModel Family="Box Family">{model}</ShellModel>',
                "datamodel/shellconfig.xml": CONFIG,
            }
        )
    )
    assert is_old_box(shell)
    assert shell is not None
    assert (shell.name, shell.version, shell.author) == ("Boxed", "3.10", "Me")


def test_passwords_of_a_data_model_are_none_since_only_cloudshell_can_read_them_p4(
    reader: Reader, write: Write
) -> None:
    box = BOX.format(driver="DemoBoxDriver").replace("zzz==", "3M3u7nkDzxWb0aJ/IZYeWw==")
    model = MODEL.format(models=box)
    shell = reader.read(write({**in_src(SOURCES), "datamodel/datamodel.xml": model}))
    assert shell is not None
    password = shell.attribute("Password")
    assert password is not None
    assert (password.type, password.default) == ("password", "")


@pytest.mark.parametrize(("said", "concurrent"), [("true", True), ("True", True), ("false", False)])
def test_the_data_model_says_whether_commands_run_at_once_p4_q2(
    reader: Reader, write: Write, said: str, concurrent: bool
) -> None:
    box = BOX.format(driver="DemoBoxDriver").replace('Commands="true"', f'Commands="{said}"')
    model = MODEL.format(models=box)
    shell = reader.read(write({**in_src(SOURCES), "datamodel/datamodel.xml": model}))
    assert shell is not None
    assert shell.concurrent is concurrent


def test_a_driver_folder_of_a_package_need_not_be_packed_p4(reader: Reader, write: Write) -> None:
    inside = {
        f"Resource Drivers - Python/DemoBoxDriver/{name}": one for name, one in SOURCES.items()
    }
    assert is_old_box(
        reader.read(
            write(
                {
                    **inside,
                    "DataModel/datamodel.xml": MODEL.format(
                        models=BOX.format(driver="DemoBoxDriver")
                    ),
                    "Configuration/shellconfig.xml": CONFIG,
                }
            )
        )
    )


def test_a_first_generation_package_without_driver_is_refused_p4(
    reader: Reader, pack: Pack
) -> None:
    with pytest.raises(
        ShellError, match="no driver is in it; expected src or 'Resource Drivers - Python'"
    ):
        reader.read(pack({"DataModel/datamodel.xml": MODEL.format(models="")}))


# ---- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {
            **in_src(SOURCES),
            "shell-definition.yaml": DEFINITION.replace("Demo Box", "CloudshellL1Demo"),
        },
        {**SOURCES, "demo_runtime_configuration.json": "{}"},
    ],
    ids=["P5 by name", "P5 by its configuration"],
)
def test_layer_1_drivers_are_refused_with_a_sentence_p5(
    reader: Reader, write: Write, files: dict[str, str | bytes]
) -> None:
    with pytest.raises(
        ShellError, match=r"a layer-1 driver, which is a program of its own .* these cannot be run"
    ):
        reader.read(write(files))
    with pytest.raises(ShellError, match="layer-1 driver"):
        reader.read(write(SOURCES, "cloudshell-L1-demo"))


def test_an_archive_without_a_shell_is_refused(reader: Reader, pack: Pack) -> None:
    with pytest.raises(ShellError, match="no shell is in it; expected shell-definition"):
        reader.read(pack({"README.md": "hello"}))


def test_what_is_no_shell_at_all_is_left_to_others(reader: Reader, write: Write) -> None:
    folder = write({"notes.txt": "hello"})
    assert reader.read(folder) is None
    assert reader.read(folder / "notes.txt") is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"TOSCA-Metadata/TOSCA.meta": "Entry-Definitions: gone.yaml"},
            "names 'gone.yaml' .* not there",
        ),
        ({"TOSCA-Metadata/TOSCA.meta": "Entry-Definitions: ../../x.yaml"}, "outside of the shell"),
        (
            {"shell-definition.yaml": DEFINITION.replace("DemoBoxDriver.zip", "../../evil.zip")},
            "'../../evil.zip', which is outside",
        ),
        ({"DemoBoxDriver.zip": b"no zip"}, "DemoBoxDriver.zip.*not a zip archive"),
        ({"DemoBoxDriver.zip": zipped({"README.md": ""})}, "ends in 'Driver'"),
        (
            {"DemoBoxDriver.zip": zipped({"drivermetadata.xml": '<Driver MainClass="Demo"/>'})},
            "MainClass is 'Demo'; expected 'module.Class'",
        ),
        ({"DemoBoxDriver.zip": zipped({"drivermetadata.xml": "<Driver"})}, "not well-formed XML"),
        ({"DemoBoxDriver.zip": zipped({"../evil.py": ""})}, "would escape the folder"),
    ],
)
def test_a_broken_package_is_refused_in_one_line(
    reader: Reader, pack: Pack, change: dict[str, str | bytes], reason: str
) -> None:
    with pytest.raises(ShellError, match=reason) as caught:
        reader.read(pack(package() | change))
    assert "\n" not in str(caught.value)
