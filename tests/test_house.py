"""The house: `nbs/` and `fad/` show one plan, imports go one way, code can be read. Each rule is shown to see a
planted fault."""
import ast, json, re, shutil, subprocess, sys
from collections import Counter
from pathlib import Path

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root/'tools'))
from dev import name_of, notebook_files

SUBPACKAGES = ('faces', 'stats', 'runs', 'simulator', 'shortcuts', 'models', 'clips', 'app', 'proof')
GUIDE = 'guide' # pages without code of the package

def modules(top):
    "The modules of the package, without what nbdev writes for itself"
    return sorted(p for p in (top/'fad').rglob('*.py') if p.name != '_modidx.py')

# ---- the plan

def exported(path):
    "The module that a notebook writes, or None"
    source = (''.join(c['source']) for c in json.loads(path.read_text(encoding='utf-8'))['cells'])
    return next((m[1] for s in source for m in [re.search(r'(?m)^#\| default_exp (\S+)', s)] if m), None)

def test_one_plan():
    """A notebook writes the module of its own name in the folder of the same name; folders and modules at the top
    are few"""
    wrong = []
    for p in notebook_files(root):
        folder, _, name = name_of(p).rpartition('/')
        module, plain = exported(p), re.sub(r'^\d+_', '', name)
        if folder not in ('', *SUBPACKAGES, GUIDE): wrong.append(f'{name_of(p)}: a folder that is not in the plan')
        if module and folder and module != f'{folder}.{plain}': wrong.append(f'{name_of(p)} writes {module}')
        if module and not folder and not plain.startswith(module): wrong.append(f'{name_of(p)} writes {module}')
    assert not wrong
    folders = Counter(name_of(p).rpartition('/')[0] for p in notebook_files(root))
    assert max(folders.values()) <= 9 and set(folders) == {'', GUIDE, *SUBPACKAGES}
    tops = [p for p in modules(root) if p.parent == root/'fad']
    assert len(tops) <= 10 and {p.name for p in (root/'fad').iterdir() if p.is_dir()
        and p.name != '__pycache__'} == {'assets', *SUBPACKAGES}

def test_numbers_run_on():
    "Within a folder notebooks are numbered in reading order, without a gap"
    by = {}
    for p in notebook_files(root):
        folder, _, name = name_of(p).rpartition('/')
        if folder: by.setdefault(folder, []).append(int(name[:2]))
    assert all(sorted(numbers) == list(range(1, len(numbers)+1)) for numbers in by.values()), by

# ---- imports

def bad_imports(path):
    "Star imports, and private names taken from another module"
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if not isinstance(node, ast.ImportFrom) or not (node.level or (node.module or '').startswith('fad')): continue
        for name in (a.name for a in node.names):
            if name == '*' or (name.startswith('_') and not name.endswith('__')): yield f'{path.name}: {name}'

def test_imports_are_by_public_name(tmp_path):
    "No star import, no private name of another module"
    planted = tmp_path/'planted.py'
    planted.write_text('from fad.faces.measures import *\nfrom .points import _empty\nfrom fad import __version__\n')
    assert len(list(bad_imports(planted))) == 2
    assert not [bad for p in modules(root) for bad in bad_imports(p)]

def lint_imports(top):
    return subprocess.run([Path(sys.executable).with_name('lint-imports'), '--no-cache'], cwd=top, capture_output=True,
        text=True)

def test_imports_go_one_way(tmp_path):
    "The order of pyproject.toml is kept, without a circle; an import that goes up is seen, and so is a circle"
    found = lint_imports(root)
    assert found.returncode == 0, found.stdout
    shutil.copytree(root/'fad', tmp_path/'fad', ignore=shutil.ignore_patterns('__pycache__'))
    shutil.copy(root/'pyproject.toml', tmp_path)
    media, cohort = tmp_path/'fad/faces/media.py', tmp_path/'fad/faces/cohort.py'
    clean = media.read_text(encoding='utf-8')
    for planted, said in (('from ..runs import extract', 'Imports go one way BROKEN'),
        ('from . import cohort', 'No circle BROKEN')):
        media.write_text(f'{clean}\n{planted}\n', encoding='utf-8')
        assert cohort.is_file() and said in lint_imports(tmp_path).stdout, said

# ---- code that can be read

def test_ruff():
    """ruff finds nothing in notebooks, modules, tests and tools; it does see a line that is too long, and a name
    that is not there"""
    ruff = Path(sys.executable).with_name('ruff')
    found = subprocess.run([ruff, 'check', '--no-cache', '--output-format', 'concise', '.'], cwd=root,
        capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-4000:]
    planted = f"said = '{'x'*120}'\nprint(sad)\n"
    seen = subprocess.run([ruff, 'check', '--no-cache', '--output-format', 'concise', '--stdin-filename',
        'tests/planted.py', '-'],
        cwd=root, input=planted, capture_output=True, text=True).stdout
    assert 'E501' in seen and 'F821' in seen

def nested(path):
    "Conditional expressions that decide between more than two outcomes"
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.IfExp) and any(isinstance(o, ast.IfExp) for o in (node.body, node.orelse)):
            yield f'{path.name}:{node.lineno}'

def test_no_nested_conditional(tmp_path):
    "A decision with more than two outcomes is a table or a ladder of ifs"
    planted = tmp_path/'planted.py'
    planted.write_text("a = 1 if b else 2 if c else 3\nd = (1 if b else 2) + (3 if c else 4)\n")
    assert list(nested(planted)) == ['planted.py:1']
    assert not [bad for p in modules(root) for bad in nested(p)]

def own_seeds(path):
    """Random generators that start from something else than a seed that is handed to them: a number, a loop's counter,
    what a picture shows"""
    calls = (node for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))) if isinstance(node, ast.Call))
    for call in calls:
        name = getattr(call.func, 'attr', getattr(call.func, 'id', ''))
        makes = name in ('default_rng', 'manual_seed', 'RandomState', 'SeedSequence')
        given = call.args if makes else [k.value for k in call.keywords if k.arg == 'random_state']
        named = [{getattr(n, 'id', getattr(n, 'attr', getattr(n, 'value', ''))) for n in ast.walk(v)} for v in given]
        handed_over = [any('seed' in str(name) for name in names) for names in named]
        if makes and not given or not all(handed_over): yield f'{path.name}:{call.lineno}'

def test_random_choices_start_from_a_seed(tmp_path):
    "`study.seed` starts every random choice; the simulator has its own seed, and textures that never change"
    planted = tmp_path/'planted.py'
    calls = ('np.random.default_rng(0)', 'default_rng()', 'KFold(random_state=1)', 'KFold(random_state=repeat)',
        'default_rng(crc32(image))', 'default_rng(seed)', 'default_rng([settings.study.seed, i])')
    planted.write_text('\n'.join(calls))
    assert list(own_seeds(planted)) == [f'planted.py:{i}' for i in range(1, 6)]
    assert not [bad for p in modules(root) if p.parent.name != 'simulator' for bad in own_seeds(p)]

def code_lines(path):
    "Length and number of the lines of a module, less those that lie in a text of several lines, and what nbdev writes"
    text = path.read_text(encoding='utf-8')
    longer = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Constant, ast.JoinedStr))
        and node.end_lineno > node.lineno]
    inside = {i for node in longer for i in range(node.lineno, node.end_lineno+1)}
    for i, line in enumerate(text.splitlines(), 1):
        if line.strip() and i not in inside and not line.startswith(('# %%', ' '*11+"'")):
            yield len(line), f'{path.name}:{i}', line

def test_lines_are_short():
    "Under 2 % of the lines of the package are longer than 120 characters, and none is longer than 160 but data"
    every = [(len(line), '') for p in modules(root) for line in p.read_text(encoding='utf-8').splitlines()
        if line.strip()]
    assert sum(n > 120 for n, _ in every) < .02*len(every)
    assert not [at for p in modules(root) for n, at, line in code_lines(p) if n > 160 and 'noqa: E501' not in line]
