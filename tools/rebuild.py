"""Draw the embedded cohort anew, and everything that rests on it: `python tools/rebuild.py [STEP ...]`.

Without a name all steps are done, in this order; some two hours on two cores. Each can be done alone. What real
photographs give (data/wild_errors.csv) is made anew where `results/real public figures` is at hand
(nbs/proof/07_real.ipynb says how), and kept as it is elsewhere. Afterwards run all notebooks, for their findings."""
import ast, json, shutil, subprocess, sys, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
import numpy as np, pandas as pd

ROOT = Path(__file__).resolve().parent.parent
COHORT, RUN, REAL = (ROOT/name for name in ('data/simulated', 'results/simulated', 'results/real public figures'))

def fad(*words): subprocess.run([Path(sys.executable).with_name('fad'), *map(str, words)], cwd=ROOT, check=True)

def tool(name, *words): subprocess.run([sys.executable, f'tools/{name}.py', *map(str, words)], cwd=ROOT, check=True)

def cohort():
    "Photographs and clips, drawn beside the old ones and then in their place"
    new = ROOT/'build'/'simulated'
    fad('simulate', '--out', new, '--subjects', 300, '--clips', 48, '--seed', 1)
    shutil.rmtree(COHORT)
    shutil.move(new, COHORT)

def measure():
    "The cohort measured from its pictures"
    shutil.rmtree(RUN, ignore_errors=True)
    fad('extract', 'data/simulated/manifest.csv', '--out', RUN)

def covering():
    "What judges covers, learned from the cohort; then the cohort judged by it"
    tool('covering', RUN, 'fad/assets/covering.npz')
    measure()

def reliability():
    "Gain, error and correlation of every measure"
    from fad.proof.reliability import measured_and_true, reliability
    from fad.runs.extract import Run
    lines = reliability(*measured_and_true(Run(RUN), COHORT/'truth.parquet'))
    lines.to_csv(ROOT/'fad/assets/reliability.csv', float_format='%.4g')

def pictures():
    "Photographs of people who were taken again and again"
    from fad.proof.next_picture import repeated_pictures
    table = repeated_pictures()
    numbers = table.select_dtypes('float').columns
    table[numbers] = table[numbers].astype('float32').round(6)
    table.to_parquet(ROOT/'data/repeats.parquet', index=False)

def errors():
    "Errors of the next picture, how they go together, and what expressions and poses allow"
    from fad.models.rules import MAGNITUDES
    from fad.proof.next_picture import error_model, wild_errors
    from fad.runs.extract import Run
    from fad.stats.limits import learn_allowances, shipped_allowances
    from fad.stats.repeats import error_correlation, learn_errors, NAMES, pictures_of
    table, assets, wild = pd.read_parquet(ROOT/'data/repeats.parquet'), ROOT/'fad/assets', ROOT/'data/wild_errors.csv'
    if REAL.is_dir(): wild_errors(learn_errors(table, NAMES), pictures_of(Run(REAL))).round(4).to_csv(wild)
    error_model(table, pd.read_csv(wild, index_col='measure')).to_csv(assets/'errors.csv', float_format='%.5g')
    learned = pd.read_csv(assets/'errors.csv', index_col='measure')
    error_correlation(table, learned, MAGNITUDES).to_csv(assets/'error_correlation.csv', float_format='%.4f')
    healthy = table[table.palsy.eq('none')].reset_index(drop=True)
    learn_allowances(healthy, shipped_allowances().index).to_csv(assets/'allowances.csv', float_format='%.5g')

def expressions():
    "The audit's reference of what faces do"
    from fad.runs.extract import Run
    from fad.shortcuts.checks import write_expression_reference
    measure() # under the new errors and allowances
    write_expression_reference(Run(RUN))

def _asked_pictures(i):
    "What four photographs of a person who is in no cohort show, and what was asked"
    from fad.faces.points import measure_face
    from fad.settings import load_settings
    from fad.simulator.scenes import cohort_scene, render
    scenes, settings = [cohort_scene(78, i, k) for k in range(4)], load_settings()
    found = [measure_face(render(scene), settings.landmarks.repeats, settings) for scene in scenes]
    return [(scene.expression, arrays['blendshapes']) for scene, (record, arrays) in zip(scenes, found)
        if record['status'] == 'ok']

def limits():
    "From which score on a face counts as smiling and so on: printed, to be put into nbs/faces/07_expressions.ipynb"
    from fad.faces.expressions import asked, choose_limits, expression_scores
    with ProcessPoolExecutor() as pool: rows = [row for of in pool.map(_asked_pictures, range(240)) for row in of]
    expression, shapes = zip(*rows)
    chosen = choose_limits(expression_scores(np.stack(shapes)), asked(expression))
    print({name: tuple(round(x, 2) for x in pair) for name, pair in chosen.items()})

def clips(): tool('training_clips', 'build/training_clips', 'data/training_clips.parquet')

def sessions(): tool('sessions', 'data/sessions.parquet')

def model():
    "The model that ships"
    fad('audit', RUN)
    fad('train', RUN)
    for name in ('classifier.skops', 'model_card.md'): shutil.copy(RUN/name, ROOT/'fad/assets'/name)

def definitions(text):
    "What a cell imports, defines and names in capitals, without its lessons"
    for node in ast.parse(text).body:
        named = isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) and t.id.isupper() for t in node.targets)
        if named or isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)): yield node

def planted():
    "Shortcuts that were planted: each command of the notebook, with what its cells define"
    cells = json.loads((ROOT/'nbs/proof/05_planted.ipynb').read_text(encoding='utf-8'))['cells']
    texts = [(cell['cell_type'], ''.join(cell['source'])) for cell in cells]
    nodes = [node for kind, text in texts if kind == 'code' for node in definitions(text)]
    own = {}
    exec(compile(ast.Module(nodes, []), 'planted', 'exec'), own)
    for kind, text in texts:
        if kind == 'markdown' and text.startswith('```python'):
            exec(text.removeprefix('```python').removesuffix('```'), own)

STEPS = (cohort, limits, measure, covering, reliability, pictures, errors, expressions, clips, sessions, model, planted)

if __name__ == '__main__':
    known = {step.__name__: step for step in STEPS}
    if odd := [name for name in sys.argv[1:] if name not in known]:
        sys.exit(f"no step {', '.join(odd)}; there are {', '.join(known)}")
    for name in sys.argv[1:] or known:
        start = time.time()
        known[name]()
        print(f'{name}: {(time.time()-start)/60:.1f} minutes', flush=True)
