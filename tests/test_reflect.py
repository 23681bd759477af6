"""A cohort of one's own, in plain folders, names that tell nothing and no truth: audit and networks, killed and
taken up."""
import csv, shutil, signal, subprocess, sys, time, zlib
from pathlib import Path
import pytest
from PIL import Image
pytest.importorskip('torch'); pytest.importorskip('monai')
from fad.app.cli import main

STILLS = Path(__file__).resolve().parent.parent/'data/simulated'
SMALL = [a for k in ('cnn.px=32', 'cnn.width=4', 'cnn.steps=6', 'cnn.seeds=1', 'cnn.resamples=20', 'cnn.workers=1',
    'cnn.device=cpu', 'landmarks.repeats=1') for a in ('--set', k)]

def rows(path):
    with open(path, encoding='utf-8', newline='') as f: return list(csv.DictReader(f))

def fill(folder, people, pictures):
    "Photographs of so many people a label, named by a checksum"
    for kind in ('stroke_data', 'noStroke_data'):
        (folder/kind).mkdir(parents=True, exist_ok=True)
        known = sorted({p.name[:5] for p in (STILLS/kind).glob('*.jpg')})[:people]
        for p in (STILLS/kind/f'{who}_{i}.jpg' for who in known for i in range(pictures)):
            if p.is_file(): shutil.copy(p, folder/kind/f'{zlib.crc32(p.name.encode()):08x}.jpg')
    return folder

def call(*args): return main([*map(str, args), *SMALL])

@pytest.fixture(scope='module')
def own(tmp_path_factory):
    "Sixteen people a label, a picture with a face too small to cut and one without a face, measured"
    d = tmp_path_factory.mktemp('own')
    fill(d/'in', 16, 1)
    first = sorted((d/'in'/'stroke_data').glob('*.jpg'))[0]
    small = Image.new('RGB', (256, 256), 'white')
    small.paste(Image.open(first).resize((64, 64)), (96, 96))
    small.save(d/'in'/'stroke_data'/'small.png')
    Image.new('RGB', (256, 256), 'grey').save(d/'in'/'noStroke_data'/'wall.png')
    assert call('extract', d/'in', '--out', d/'run', '--quiet') == 1 # two pictures give no face
    return d

def test_audit_of_a_plain_folder(own, capsys):
    "A verdict for every check, and a page that says that nobody's name is known"
    assert call('audit', own/'run', '--out', own/'audit', '--no-cnn') == 0
    said = capsys.readouterr()
    assert 'Traceback' not in said.err and 'The photograph' in said.out
    checks = {r['check']: r for r in rows(own/'audit'/'shortcut_audit.csv')}
    assert 'network' not in checks and {r['verdict'] for r in checks.values()} <= {'clear', 'caution', 'fails',
        'not judged'}
    page = (own/'audit'/'shortcut_audit.html').read_text(encoding='utf-8')
    assert 'of unknown people: each counts as a person of its own' in page and 'How to read it' in page

def test_reflection_killed_and_taken_up(own, capsys):
    """kill -9 in the middle of the networks, the same command again: what was learned is not learned again, and the
    table is whole"""
    run = own/'run'
    p = subprocess.Popen([sys.executable, '-c', 'from fad.app.cli import command; command()',
        'reflect', str(run), '--quiet', *SMALL], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.time()+300
    while len(list(run.glob('reflect/networks-*/*.parquet'))) < 5 and p.poll() is None and time.time() < until:
        time.sleep(.01)
    p.send_signal(signal.SIGKILL); p.wait()
    kept = {q: q.stat().st_mtime_ns for q in run.glob('reflect/networks-*/*.parquet')}
    assert len(kept) >= 5 and not (run/'cnn_reflection.csv').exists()
    assert call('reflect', run) == 0
    said = capsys.readouterr()
    assert 'Traceback' not in said.err
    for words in ('The audit of this cohort found', 'Nothing planted, AUC on', 'The rule card is asked for a weakness'):
        assert words in said.out
    assert all(q.stat().st_mtime_ns == t for q, t in kept.items())
    table = rows(run/'cnn_reflection.csv')
    measures = {r['measure'] for r in table}
    assert {'auc', 'accuracy', 'audit: background', 'audit: network', 'person not known',
        'settings'} <= measures and 'auc_mimics' not in measures
    assert {r['input'] for r in table if r['trained'] == 'clean' and r['measure'] == 'auc'} >= {'face', 'mouth',
        'background', 'features'}
    assert {'face smaller than 40 px', 'not measured'} & {r['note'] for r in table
        if r['measure'] == 'pictures left out'}
    def drawn():
        return {p.stem for p in (run/'figures').glob('cnn_*.png')}
    assert drawn() == {'cnn_reflection', 'cnn_training', 'cnn_attribution'}
    # the third shows faces
    assert call('reflect', run, '--no-thumbnails', '--quiet') == 0 and drawn() == {'cnn_reflection', 'cnn_training'}
    assert not list(run.glob('reflect/crops-*')) # nor do copies of the pictures stay

def test_too_little_for_networks(tmp_path, capsys):
    "One label, ten pictures: status 2 and a reason that says what is there"
    fill(tmp_path/'in', 5, 1)
    assert call('extract', tmp_path/'in', '--out', tmp_path/'ten', '--quiet') in (0, 1)
    shutil.copytree(tmp_path/'in'/'stroke_data', tmp_path/'half'/'stroke_data')
    assert call('extract', tmp_path/'half', '--out', tmp_path/'one', '--quiet') in (0, 1)
    for run, said in (('ten', 'and there are 5 and 5'), ('one', 'and there are 5 and 0')):
        capsys.readouterr()
        assert call('reflect', tmp_path/run, '--quiet') == 2
        assert said in (err := capsys.readouterr().err) and 'Traceback' not in err
    assert call('audit', tmp_path/'one', '--quiet') == 2 and 'only one label' in capsys.readouterr().err
    assert call('audit', tmp_path/'ten', '--quiet') == 0 and {r['verdict']
        for r in rows(tmp_path/'ten'/'shortcut_audit.csv')} <= {'clear', 'not judged'}
    assert main(['reflect', str(tmp_path/'ten'), '--quiet', '--set',
        'cnn.px=8']) == 2 and '[cnn] px = 8' in capsys.readouterr().err
