"""The same inputs and seeds give the same bytes: whatever the number of processes and threads, and the order of
hashes. (`fad extract` in tests/test_cli.py.)"""
import os, subprocess, sys
from pathlib import Path
import pandas as pd

root = Path(__file__).resolve().parent.parent

WORK = '''
import shutil, sys, warnings; warnings.simplefilter('ignore')
from fad.runs.files import write_csv
from fad.runs.extract import Run, extract
out, workers = sys.argv[1], int(sys.argv[2])
run = extract('m.csv', out, workers=workers, progress=False)
from fad.distributions import compare_run
compare_run(run, resamples=20)
from fad.shortcuts.evidence import evidence
from fad.shortcuts.audit import judge
write_csv(judge(evidence(run, workers), permutations=1, only=['duplicates', 'photography'])[0], run.path/'audit.csv')
from fad.models.validation import out_of_fold, permutation_test
from fad.models.rules import exclusions, faces_of
from fad.models.signals import load, save, signals, train
faces = faces_of(run)
t = faces[exclusions(faces).eq('')].reset_index(drop=True)
for kind in ('rules', 'monotone', 'forest', 'boosting'): write_csv(out_of_fold(t, kind, folds=3, search=False), \
run.path/f'out_of_fold_{kind}.csv')
write_csv(permutation_test(t, 2, folds=3).reset_index(), run.path/'permutations.csv')
save(train(faces, members=5), run.path/'classifier.skops')
write_csv(signals(load(run.path/'classifier.skops'), faces), run.path/'predictions.csv')
'''

def small_cohort(folder):
    "Fifty people of the embedded cohort, four photographs each, under settings that accept so few"
    m = pd.read_csv(root/'data/simulated/manifest.csv')
    m = m[~m.path.str.startswith('clips')]
    who = [s for kind, n in dict(none=26, central=12, peripheral=12).items()
        for s in m.subject[m.palsy.eq(kind)].unique()[:n]]
    m = m[m.subject.isin(who)]
    m.assign(path=[os.path.relpath(root/'data/simulated'/p, folder) for p in m.path]).to_csv(folder/'m.csv',
        index=False)
    (folder/'settings.ini').write_text('[fad]\nschema = 1\n[landmarks]\nrepeats = 1\n[limits]\nmin_healthy_subjects = '
        '3\n')

def test_same_bytes(tmp_path):
    """Measured, compared, audited, trained and predicted twice, as differently as one machine can: every CSV file
    is the same to the byte"""
    small_cohort(tmp_path)
    for name, workers, threads, seed in (('a', 1, 1, 1), ('b', 2, 2, 2)):
        env = os.environ | dict(PYTHONHASHSEED=str(seed), FAD_SETTINGS=str(tmp_path/'settings.ini'), MPLBACKEND='Agg',
            OMP_WAIT_POLICY='passive', **{f'{k}_NUM_THREADS': str(threads) for k in ('OMP', 'OPENBLAS', 'MKL')})
        r = subprocess.run([sys.executable, '-c', WORK, name, str(workers)], cwd=tmp_path, env=env,
            capture_output=True, text=True)
        assert r.returncode == 0, r.stderr
    a, b = ({p.relative_to(tmp_path/n).as_posix(): p.read_bytes() for p in (tmp_path/n).rglob('*.csv')} for n in 'ab')
    assert len(a) > 15 and a.keys() == b.keys()
    assert not [n for n in a if a[n] != b[n]]
