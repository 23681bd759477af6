"What holds for the repository as a whole: nothing of one machine in it, settings and navigation complete."
import json, re, subprocess, sys, tomllib
from pathlib import Path
import pytest, yaml

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root/'tools'))
from dev import name_of, notebook_files, without_bars
nbs = notebook_files(root)

def tracked():
    "The files of the repository"
    try: out = subprocess.run(['git', 'ls-files', '-z'], cwd=root, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError): pytest.skip('not a git checkout')
    return [root/o for o in out.split('\0') if o and (root/o).is_file() and not (root/o).is_symlink()]

def test_no_path_of_a_machine():
    "No tracked text names a folder of the machine it was written on, a user's home, or a package index"
    folders = r'/home/\w+|/Users/\w+|/root\b|/tmp/\w+|/work\b'
    if root.parent != Path('/'): folders += rf'|{re.escape(str(root.parent))}\b'
    here = re.compile(rf'(?<![\w.:/-])(?:{folders})(?=[/\s"\'\\])'.encode())
    index = re.compile(rb'index-url|find-links|trusted-host')
    bad = [f'{p.relative_to(root)}: {m[0].decode()}' for p in tracked()
        if p.suffix in ('.py', '.ipynb', '.md', '.ini', '.toml', '.txt', '.yml', '.cff', '') and p != Path(__file__)
        for pat in (here, index) for m in [pat.search(p.read_bytes())] if m]
    assert not bad

def test_no_progress_bars_are_kept():
    "What a bar drew while a notebook ran is no output of it; a warning is"
    bar, warning = dict(name='stderr', text=['\r 10%|#']), dict(name='stderr', text=['careful\n'])
    cells = [dict(outputs=[bar, warning]), dict()]
    assert without_bars(cells) and cells[0]['outputs'] == [warning] and not without_bars(cells)

def test_settings_file_is_current():
    """settings.ini has every key with its present meaning, range and default (`make settings` writes it anew); the
    values are free"""
    from fad.settings import load_settings, to_ini
    assert (root/'settings.ini').read_text(encoding='utf-8') == to_ini(load_settings(root/'settings.ini'))

def test_every_notebook_in_the_navigation():
    "The site's sidebar lists each notebook once, and no other"
    def files(o):
        return [o] if isinstance(o, str) else [f for x in (o if isinstance(o, list)
            else [o.get('href'), o.get('contents')]) if x for f in files(x)]
    listed = files(yaml.safe_load((root/'_quarto.yml').read_text())['website']['sidebar']['contents'])
    assert sorted(listed) == sorted(f'{name_of(p)}.ipynb' for p in nbs)

def test_front_page_leads_on():
    "The front page gives the two commands and leads to the five phases"
    text = (root/'README.md').read_text(encoding='utf-8')
    assert '```bash\nmake study' in text and '\nmake test' in text
    assert not [p.name for p in nbs if re.match('0[1-5]_', p.name) and p.parent.name == 'nbs'
        and f'(nbs/{p.name})' not in text]

@pytest.mark.parametrize('nb', nbs, ids=name_of)
def test_notebook_form(nb):
    """A title, a subtitle and settings of the page alone in the first cell (the site drops any other line), no
    stored error, headings in cells of their own"""
    cells = json.loads(nb.read_text(encoding='utf-8'))['cells']
    src = [''.join(c['source']) for c in cells]
    assert cells[0]['cell_type'] == 'markdown' and re.fullmatch(r'# [^\n]+\n+> [^\n]+(\n+- [a-z-]+: [^\n]+)*\s*',
        src[0]), 'first cell: `# title`, then `> subtitle` and `- key: value` of the page, nothing else'
    assert not [i for i,c in enumerate(cells) for o in c.get('outputs', [])
        if o['output_type'] == 'error'], 'a stored error'
    mixed = [s for c,s in zip(cells[1:], src[1:]) if c['cell_type'] == 'markdown' and re.match('#+ ', s)
        and '\n' in s.strip()]
    assert not mixed, 'a heading shares its cell'
    skipped = [s for s in src if '#| eval: false' in s and len(s.splitlines()) > 2]
    assert not skipped, 'JupyterLab runs what nbdev skips: show commands that make stored data as Markdown'

def test_a_failed_notebook_is_named(monkeypatch, capsys):
    "With the reason, also where the shell fails and not a cell: nbdev itself would say only what it lacks then"
    from dev import _failure
    from execnb.shell import CaptureShell
    def failing(*args, **kwargs): raise OSError('no space left')
    monkeypatch.setattr(CaptureShell, 'cell', failing)
    assert _failure('stats/08_repeats', 60) == 'OSError: no space left'
    assert 'FAILED stats/08_repeats' in capsys.readouterr().out

def test_times_are_stated():
    """Each notebook with code says at its top how long it runs, as measured (`python tools/dev.py times NAME`
    measures and writes it)"""
    from dev import time_lines
    lines = time_lines()
    texts = {name_of(p): p.read_text(encoding='utf-8') for p in nbs if p.stem != 'index'}
    code = {name: text for name, text in texts.items() if '"cell_type": "code"' in text}
    assert not [n for n, text in code.items() if n not in lines
        or json.dumps(lines[n], ensure_ascii=False)[1:-1] not in text]

def test_versions_agree():
    "One version in the package and the citation; both OpenCV wheels, which write the same folder, pinned alike"
    from fad import __version__
    assert yaml.safe_load((root/'CITATION.cff').read_text())['version'] == __version__
    pins = dict(o.split('==') for o in (root/'constraints.txt').read_text().splitlines() if '==' in o)
    assert pins['opencv-python'] == pins['opencv-contrib-python']

def test_every_dependency_is_pinned():
    "constraints.txt covers what pyproject.toml asks for, so that two installs a year apart are alike"
    p = tomllib.loads((root/'pyproject.toml').read_text())['project']
    def name(o):
        return re.match(r'[\w-]+', o)[0].lower().replace('_', '-')
    pins = {name(o) for o in (root/'constraints.txt').read_text().splitlines() if '==' in o}
    assert not {name(o) for o in p['dependencies'] + p['optional-dependencies']['dev']} - pins

def test_every_dependency_has_a_floor_that_is_tried():
    """pyproject.toml says from which version on each package will do, and `make floors` runs with just those; what is
    known to fail below stays out"""
    p = tomllib.loads((root/'pyproject.toml').read_text())['project']
    asked = [o for o in p['dependencies']+sum(p['optional-dependencies'].values(), []) if not o.startswith(p['name'])]
    assert not [o for o in asked if not re.fullmatch(r'[\w.-]+>=[\d.]+', o)]
    floor = dict(o.split('>=') for o in asked)
    def at(name): return tuple(int(n) for n in floor[name].split('.'))
    assert at('av') >= (14, 1) and at('pillow') >= (11, 3) # clips at all; AVIF
    assert {'pillow-heif', 'openpyxl'} <= {o.split('>=')[0] for o in p['optional-dependencies']['study']}
    assert '--resolution lowest-direct' in (root/'Makefile').read_text()
    assert 'make floors' in (root/'.github/workflows/test.yml').read_text()
