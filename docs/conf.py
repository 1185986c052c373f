"""How the documentation is built."""

from __future__ import annotations

from importlib.metadata import version as installed_version

project = "Shelldock"
author = "The Shelldock authors"
project_copyright = "The Shelldock authors, Apache License 2.0"
version = release = installed_version("shelldock")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
exclude_patterns = ["_build", "changelog/*", "examples/**", "explanation/performance/*"]

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
python_display_short_literal_types = True
python_use_unqualified_type_names = True
add_module_names = False
maximum_signature_line_length = 88

html_theme = "furo"
html_title = "Shelldock"
html_static_path = ["_static"]
html_css_files = ["shelldock.css"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0f5c6e", "color-brand-content": "#0f5c6e"},
    "dark_css_variables": {"color-brand-primary": "#6fc3d6", "color-brand-content": "#6fc3d6"},
}
