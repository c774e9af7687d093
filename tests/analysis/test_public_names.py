import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import neurodyn.analysis as analysis


@pytest.mark.parametrize("name", analysis.__all__)
def test_each_name_resolves_and_explains_itself(name):
    thing = getattr(analysis, name)
    assert thing.__name__ == name
    assert (inspect.getdoc(thing) or "").splitlines()[0].rstrip().endswith((".", ":"))


def test_the_lazy_table_and_the_type_checkers_block_agree():
    tree = ast.parse(Path(inspect.getfile(analysis)).read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in blocks[0].body if isinstance(node, ast.ImportFrom)]
    typed = {alias.asname: node.module for node in imports for alias in node.names}
    assert typed == analysis._MODULE_OF


def test_no_module_hides_a_function():
    folder = Path(inspect.getfile(analysis)).parent
    assert not {file.stem for file in folder.iterdir()} & set(analysis.__all__)


def test_unknown_name_gets_the_nearest():
    with pytest.raises(AttributeError, match="did you mean.*participation_ratio"):
        _ = analysis.participation_ration


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, neurodyn.analysis; print(set(sys.modules) & {'numpy', 'scipy', 'sklearn'} or [])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # numpy may come with neurodyn itself; the rest may not.
    assert set(ast.literal_eval(done.stdout)) <= {"numpy"}
