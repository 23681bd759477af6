"""Phase 5 against its budgets: `python benchmarks/phase5.py CLIP`.

A clip followed from file to events is compared with a bare MediaPipe loop in tracking mode over the same decoded frames
(CPU time, in turn, the least of three), the online detector is timed beyond landmarks, and the memory of a clip of
1 minute is compared with that of one of 2 hours."""
import os
os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1')
import subprocess, sys, tempfile, time, warnings
from itertools import cycle, islice
import mediapipe as mp, numpy as np
from fad.faces.detector import new_landmarker, quiet_stderr
from fad.faces.points import one_thread
from fad.faces.media import frame_times, read_frames
from fad.clips.series import measure_clip
from fad.settings import load_settings
from fad.clips.events import analyse
from fad.clips.watch import watch
from fad.clips.replay import write_clip

def repeated(path, out, seconds, fps=12):
    "A clip made longer by playing it again and again"
    shots = [f for _, f in read_frames(path, frame_times(path).frame) if f is not None]
    return write_clip(out, islice(cycle(shots), seconds*fps), fps, preset='ultrafast', crf='23')

def bare(path):
    "CPU seconds of the detector alone, from file to arrays of points"
    times = frame_times(path)
    start = time.process_time()
    with one_thread(), quiet_stderr(), new_landmarker(load_settings(), video=True) as tracker:
        for (i, image), t in zip(read_frames(path, times.frame), times.t_s):
            picture = mp.Image(mp.ImageFormat.SRGB, image)
            for face in tracker.detect_for_video(picture, round(t*1000)).face_landmarks:
                np.array([(p.x, p.y, p.z) for p in face])
    return time.process_time()-start, len(times)

def whole(path):
    "CPU seconds from file to events, every frame"
    start = time.process_time()
    analyse(measure_clip(path, rate_hz=0, progress=False))
    return time.process_time()-start

def online(path):
    "CPU milliseconds per frame of the live watch, landmarks apart"
    rows = measure_clip(path, rate_hz=0, progress=False).to_dict('records')
    start = time.process_time()
    for event in watch(rows): pass
    return (time.process_time()-start)*1000/len(rows)

_CHILD = """import re, sys
from fad.clips.series import measure_clip
from fad.clips.events import analyse
analyse(measure_clip(sys.argv[1], rate_hz=1, progress=False))
print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])/1024)"""

def most_MB(path):
    "Most memory of a process that follows a clip"
    child = [sys.executable, '-W', 'ignore', '-c', _CHILD, str(path)]
    return float(subprocess.run(child, capture_output=True, text=True, check=True).stdout.split()[-1])

def main(source):
    with tempfile.TemporaryDirectory() as folder:
        clip = repeated(source, f'{folder}/40.mp4', 40)
        whole(clip) # the first call loads what is loaded once
        turns = [(*bare(clip), whole(clip)) for _ in range(3)]
        alone, n, all_in = min(a for a, _, _ in turns), turns[0][1], min(w for _, _, w in turns)
        print(f"{n} frames: detector alone {n/alone:.0f} frames/s, from file to events {n/all_in:.0f}: "
            f"{alone/all_in:.2f} of it (budget 0.85)")
        print(f"the live watch: {online(clip):.3f} ms per frame beyond landmarks (budget 1)", flush=True)
        minute, hours = (most_MB(repeated(source, f'{folder}/{s}.mp4', s, 4)) for s in (60, 7200))
        print(f"1 minute: {minute:.0f} MB at most; 2 hours: {hours:.0f} MB; {hours-minute:+.0f} MB (budget +150)")

if __name__ == '__main__':
    warnings.simplefilter('ignore')
    main(sys.argv[1])
