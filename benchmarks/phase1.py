"""Phase 1 against its budgets, as ratios of one run: `python benchmarks/phase1.py`.

Extraction is compared with a bare MediaPipe loop over the same looks, features are counted on one core,
and memory is compared between a short clip and a long one."""
import os
os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1')
import subprocess, sys, tempfile, time, warnings
from pathlib import Path
import av, cv2, mediapipe as mp, numpy as np
from skimage import data
from fad.faces.measures import asymmetry_vectors, features, symmetry_scores
from fad import detector
from fad.faces.detector import new_landmarker, quiet_stderr
from fad.runs.extract import extract
from fad.faces.points import measure_face
from fad.faces.media import read_image
from fad.settings import load_settings

SETTINGS = load_settings()

def photographs(folder, n):
    "n jittered JPEG copies of the public-domain portrait"
    rng, portrait = np.random.default_rng(0), data.astronaut()
    for i in range(n):
        M = cv2.getRotationMatrix2D((220, 120), rng.uniform(-10, 10), rng.uniform(.8, 1.2))
        cv2.imwrite(str(folder/f'{i:04d}.jpg'), cv2.warpAffine(portrait, M, (512, 512),
            borderMode=cv2.BORDER_REPLICATE)[:, :, ::-1])

def looks_of(path):
    "The very pictures that `fad` shows the detector for one photograph: the whole, then the jittered crops"
    seen, detect = [], detector.detect
    def listen(image, *args, **kwargs):
        seen.append(np.ascontiguousarray(image[..., :3]))
        return detect(image, *args, **kwargs)
    detector.detect = listen
    try: measure_face(read_image(path), SETTINGS.landmarks.repeats, SETTINGS)
    finally: detector.detect = detect
    return seen[1:]

def bare_loop(folder):
    "Seconds of a bare MediaPipe loop, from file to arrays of points, on the looks that `fad` takes"
    paths = sorted(folder.glob('*.jpg'))
    crops = [looks_of(p) for p in paths]
    # the head pose is wanted of the first look alone
    first, other = new_landmarker(SETTINGS), new_landmarker(SETTINGS, pose=False)
    def points(landmarker, image):
        for face in landmarker.detect(mp.Image(mp.ImageFormat.SRGB, image)).face_landmarks:
            np.array([(p.x, p.y, p.z) for p in face])
    with quiet_stderr():
        start = time.perf_counter()
        for path, looks in zip(paths, crops):
            points(first, read_image(path))
            for crop in looks: points(other, crop)
        return time.perf_counter()-start

def timed_extract(folder, out, workers):
    start = time.perf_counter()
    extract(folder, out, SETTINGS, workers=workers, progress=False)
    return time.perf_counter()-start

def extraction(n=1200):
    with tempfile.TemporaryDirectory() as t:
        folder = Path(t)/'photos'; folder.mkdir()
        photographs(folder, n)
        bare = bare_loop(folder)
        print(f"bare MediaPipe loop: {n*SETTINGS.landmarks.repeats/bare:.0f} looks/s, {n/bare:.1f} photographs/s of "
            f"{SETTINGS.landmarks.repeats} looks")
        for workers in (1, 2):
            took = timed_extract(folder, Path(t)/f'run{workers}', workers)
            print(f"fad extract, {workers} process{'es' if workers > 1 else ''}: {n/took:.1f} photographs/s, all in; "
                f"{bare/took/workers:.2f} of the bare loop times the processes (budget 0.90)")
        bare_again = bare_loop(folder)
        print(f"bare loop again: {n/bare_again:.1f} photographs/s (the run's own spread)")

def feature_speed(n=50_000):
    _, arrays = measure_face(data.astronaut(), 1, SETTINGS)
    xyz = np.repeat(arrays['xyz'][None], n, 0)+np.random.default_rng(0).normal(0, .3, (n, 478, 3)).astype(np.float32)
    blend = np.repeat(arrays['blendshapes'][None], n, 0)
    features(xyz[:100], blend[:100])
    start = time.perf_counter(); features(xyz, blend); middle = time.perf_counter()
    v = asymmetry_vectors(xyz); symmetry_scores(v, v.mean(0)); end = time.perf_counter()
    print(f"features: {n/(middle-start):,.0f} faces/s on one core ({n/(middle-start)/50_000:.1f} of the budget); with "
        f"the symmetry scores {n/(end-start):,.0f} faces/s ({n/(end-start)/50_000:.1f})")

def clip(path, seconds, fps=15):
    "The portrait, swaying"
    with av.open(str(path), 'w') as c:
        st = c.add_stream('libx264', fps)
        st.width = st.height = 320
        st.pix_fmt = 'yuv420p'
        st.options = {'preset': 'ultrafast'}
        portrait = data.astronaut()[:320, 64:384]
        for i in range(seconds*fps):
            M = cv2.getRotationMatrix2D((160, 160), 6*np.sin(i/25), 1)
            c.mux(st.encode(av.VideoFrame.from_ndarray(cv2.warpAffine(portrait, M, (320, 320),
                borderMode=cv2.BORDER_REPLICATE), 'rgb24')))
        c.mux(st.encode())

_CHILD = """import re, sys
from fad.runs.extract import extract
extract(sys.argv[1], sys.argv[2], workers=1, progress=False)
print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])/1024)"""

def clip_memory(long_s=20*60, short_s=20):
    with tempfile.TemporaryDirectory() as t:
        peak = {}
        for s in (short_s, long_s):
            clip(f'{t}/{s}.mp4', s)
            peak[s] = float(subprocess.run([sys.executable, '-W', 'ignore', '-c', _CHILD, f'{t}/{s}.mp4',
                f'{t}/run{s}'], capture_output=True, text=True, check=True).stdout.split()[-1])
        print(f"clip of {short_s} s: {peak[short_s]:.0f} MB at most; of {long_s//60} min: {peak[long_s]:.0f} MB; "
            f"{peak[long_s]-peak[short_s]:+.0f} MB (budget +150)")

if __name__ == '__main__':
    warnings.simplefilter('ignore')
    feature_speed()
    extraction()
    clip_memory()
