"""Rebuild fad/assets/covering.npz: `python tools/covering.py results/simulated fad/assets/covering.npz`.

The run is that of the embedded cohort (nbs/01_landmarks.ipynb measures it). Four of five of its people, and livelier
ones who laugh, talk and wear beards, are drawn on by `tools/covers.py`; further ones are rendered with and without a
mask, glasses, a patch, a hand or a strand of hair. A small network learns to say of every cell of an aligned face
whether something hides it. Some fifteen minutes on one core; the same seed gives the same network on the same
machine."""
import os, sys
from dataclasses import replace
os.environ.update(OMP_NUM_THREADS='1')
import cv2, numpy as np, pandas as pd, torch
from torch import nn
from torch.nn import functional as F
from fad.faces.covering import GRID, PER_PUPILS
from fad.faces.detector import close_up, face_size, locate, onto_grid, warp
from fad.faces.points import read_frame
from fad.runs.extract import load_landmarks, Run
from fad.simulator.looks import BEARDS
from fad.simulator.render import WORN
from fad.simulator.scenes import Occlusion, portrait_pixels, random_scene, Sensor, units_of
from covers import camera, drawn

PX, ZOOM = 112, 1.43 # side of a picture that is drawn on, and how much finer it is than the network's grid
DRAWN, STEPS, BATCH, SEED = 3600, (1400, 600), 32, 17 # two rounds
LIVELY, RENDERED = 420, 420 # people who are in no cohort

def enlarged(image, points):
    "An aligned face with some room around it, and its points there"
    side = 2*face_size(points)
    near, B = close_up(image, *(points[:468, :2].mean(0)-side/2), side, side, 3*PX)
    local = points[:, :2]@B[:, :2].T+B[:, 2]
    A = onto_grid(local, GRID, PER_PUPILS)*ZOOM
    A[:, 2] += (PX-GRID*ZOOM)/2
    near = cv2.GaussianBlur(near, (0, 0), max(.3, .5/np.hypot(*A[:, 0])))
    return warp(near, A, PX), local@A[:, :2].T+A[:, 2]

def bare_faces(run):
    "Enlarged faces of a run's photographs before which there is nothing but clear glasses; and whose they are"
    cohort = pd.read_csv(run.path/'cohort.csv')
    before = cohort.set_index('frame_id').occlusion
    found = []
    for shard in run.shards:
        faces = load_landmarks(shard)
        for i in np.flatnonzero(faces.df.status.eq('ok') & faces.df.t_s.isna()):
            row = faces.df.iloc[i]
            if before.get(row.frame_id) in ('none', 'glasses'):
                found.append((row.subject, *enlarged(read_frame(row), faces.xyz[i].astype(float))))
    return found

def lively_scene(seed):
    "Somebody close up who laughs, talks or rests, and often wears a beard"
    r = np.random.default_rng([SEED, seed])
    scene = random_scene(seed, occlusion=Occlusion(), expression=str(r.choice(
        ['show_teeth', 'smile', 'rest', 'speech_a', 'speech_e', 'brow_raise', 'close_gently'],
        p=[.4, .2, .15, .08, .07, .05, .05])), intensity=1.)
    person = replace(scene.person, beard=str(r.choice(list(BEARDS))) if scene.person.sex > .5 else '',
        resting=(('mouthSmile', float(r.uniform(0, .4))), ('raiseBrow', float(r.uniform(0, .4)))))
    tall = r.uniform(210, 330)
    return replace(scene, person=person, camera=replace(scene.camera, focal_mm=24*scene.camera.distance_mm/tall),
        sensor=Sensor(contrast=float(r.uniform(1, 2.4)), sharpening=float(r.uniform(0, 1)), jpeg=92))

def laughing(scene):
    "What the face is told to do: more than the simulator's usual smiles"
    r = np.random.default_rng([SEED, 1, scene.seed])
    more = r.uniform(.7, 1.5)
    return {unit: (left*more, right*more) if unit.startswith('mouth') else (left, right)
        for unit, (left, right) in units_of(scene).items()}

def picture_of(scene): return portrait_pixels(scene, 256, laughing(scene))

def lively_faces(n):
    "Enlarged faces of lively people, as `bare_faces`"
    pictures = [picture_of(lively_scene(10**6+i)) for i in range(n)]
    found = [(image, locate(image)) for image in pictures]
    return [('', *enlarged(image, face[0].astype(float))) for image, face in found if face]

KINDS = [*(kind for kind in WORN if kind not in ('glasses', 'mask')), 'hair']

def rendered(n):
    "Pictures with something before the face, and how much of each pixel it changes: rendered with it and without"
    out = []
    for i in range(n):
        scene, kind = replace(lively_scene(2*10**6+i), seed=i), KINDS[i%len(KINDS)]
        worn, bare = (picture_of(replace(scene, occlusion=Occlusion(before, i))) for before in (kind, 'none'))
        face = locate(worn)
        if not face: continue
        changed = np.abs(worn.astype(float)-bare).max(2) > 24
        changed = cv2.morphologyEx(changed.astype(np.uint8)*255, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        points = face[0].astype(float)
        hidden, _ = enlarged(np.dstack([changed]*3), points)
        out.append((enlarged(worn, points)[0], hidden[..., 0]))
    return [np.stack(part) for part in zip(*out)]

def held_out(subject): return int(''.join(c for c in subject if c.isdigit()))%5 == 0

def drawn_on(faces, n, seed):
    "Pictures with what was drawn on them, uint8 (n, PX, PX, 3), and how much of each pixel is hidden, (n, PX, PX)"
    r = np.random.default_rng(seed)
    pictures, hidden = np.empty((n, PX, PX, 3), np.uint8), np.empty((n, PX, PX), np.uint8)
    for k in range(n):
        _, picture, points = faces[r.integers(len(faces))]
        pictures[k], share = drawn(picture.astype(np.float32), points, r)
        hidden[k] = share*255
    return pictures, hidden

def seen_by_camera(picture, hidden, r):
    "A drawn picture on the network's grid, a little off, mirrored or not, in another light and by another camera"
    turn, size = r.normal(0, 3.5), np.exp(r.normal(0, .06))/ZOOM
    A = cv2.getRotationMatrix2D((PX/2, PX/2), turn, size)
    A = (A-[[0, 0, PX/2]]*2)*np.exp(r.normal(0, .06, (2, 1)))+[[0, 0, GRID/2]]*2 # another build, or a stretched picture
    A[:, 2] += r.normal(0, 1.3, 2)
    if r.random() < .5: A = A*[[-1], [1]]+[[0, 0, GRID], [0, 0, 0]]
    if r.random() < .35: picture, hidden = _cut_out(picture, hidden, r)
    both = np.dstack([warp(cv2.GaussianBlur(x, (0, 0), .6), A, GRID) for x in (picture, hidden)])
    y, x = np.mgrid[:GRID, :GRID].astype(np.float32)
    bent = r.normal(0, r.uniform(0, 1.4), (5, 5, 2)).astype(np.float32)
    bent = cv2.resize(bent, (GRID, GRID), interpolation=cv2.INTER_CUBIC)
    both = cv2.remap(both, x+bent[..., 0], y+bent[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return camera(both[..., :3].astype(np.float32), r), both[..., 3]

def _cut_out(picture, hidden, r):
    "A picture that ends near the face: beyond it is grey, and nothing is seen there"
    out, gone = np.full_like(picture, 128), np.full_like(hidden, 255)
    left, right, top, bottom = (r.uniform([.03, .83, .02, .86], [.2, .97, .16, .99])*PX).astype(int)
    out[top:bottom, left:right], gone[top:bottom, left:right] = (x[top:bottom, left:right] for x in (picture, hidden))
    return out, gone

class Net(nn.Module):
    "Down to 4 x 4 cells and up again; the face and its mirror image go in together"
    def __init__(self):
        super().__init__()
        widths = dict(a=(6, 12, 2), b=(12, 24, 2), c=(24, 32, 2), d=(32, 48, 2), e=(48, 48, 1), # in, out, step
                      f=(80, 32, 1), g=(56, 24, 1), h=(36, 12, 1))
        self.layers = nn.ModuleDict({k: nn.Sequential(
            nn.Conv2d(i, o, 1 if k == 'h' else 3, s, 0 if k == 'h' else 1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
            for k, (i, o, s) in widths.items()})
        self.out = nn.Conv2d(12, 1, 1)
    def forward(self, x):
        a = self.layers['a'](x)
        b = self.layers['b'](a)
        c = self.layers['c'](b)
        e = self.layers['e'](self.layers['d'](c))
        f = self.layers['f'](torch.cat([F.interpolate(e, scale_factor=2), c], 1))
        g = self.layers['g'](torch.cat([F.interpolate(f, scale_factor=2), b], 1))
        return self.out(self.layers['h'](torch.cat([F.interpolate(g, scale_factor=2), a], 1)))[:, 0]

def batch(pictures, hidden, r):
    picked = [seen_by_camera(pictures[i], hidden[i], r) for i in r.integers(len(pictures), size=BATCH)]
    x = np.stack([p for p, _ in picked]).astype(np.float32)
    x = (x-x.mean((1, 2, 3), keepdims=True))/(x.std((1, 2, 3), keepdims=True)+8)
    x = np.concatenate([x, x[:, :, ::-1]], 3).transpose(0, 3, 1, 2)
    y = np.stack([h for _, h in picked]).reshape(BATCH, GRID//2, 2, GRID//2, 2).mean((2, 4))/255
    return torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(y.astype(np.float32))

def learned(pictures, hidden):
    "The network, trained"
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    net = Net().to(memory_format=torch.channels_last)
    for k, steps in enumerate(STEPS): one_round(net, pictures, hidden, steps, SEED+k)
    return net.eval()

def one_round(net, pictures, hidden, steps, seed, told=print):
    "Train from fast to slow"
    r = np.random.default_rng(seed)
    rate = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-4)
    plan = torch.optim.lr_scheduler.OneCycleLR(rate, 4e-3, steps, pct_start=.1)
    # what lies around the face matters little
    y, x = np.mgrid[:GRID//2, :GRID//2]/(GRID//2)-.5
    near = torch.from_numpy((.1+np.exp(-(x/.33)**4-((y-.02)/.4)**4)).astype(np.float32))
    lost = []
    for step in range(steps):
        x, y = batch(pictures, hidden, r)
        x = x.to(memory_format=torch.channels_last)
        loss = (F.binary_cross_entropy_with_logits(net(x), y, reduction='none')*near).mean()
        rate.zero_grad(); loss.backward(); rate.step(); plan.step()
        lost.append(loss.item())
        if step%200 == 199: told(f'{step+1}: {np.mean(lost[-200:]):.4f}', flush=True)

def weights(net):
    "What `fad.faces.covering` reads: kernels (height, width, in, out) and shifts of every layer, batch norms folded in"
    out = {}
    for name, (conv, norm, _) in ((k, tuple(v)) for k, v in net.layers.items()):
        scale = norm.weight/torch.sqrt(norm.running_var+norm.eps)
        out[f'{name}_kernel'] = (conv.weight*scale[:, None, None, None]).permute(2, 3, 1, 0)
        out[f'{name}_shift'] = norm.bias-norm.running_mean*scale
    out |= dict(out_kernel=net.out.weight[:, :, 0, 0].T, out_shift=net.out.bias)
    return {k: v.detach().numpy().astype(np.float16) for k, v in out.items()}

if __name__ == '__main__':
    run, out = Run(sys.argv[1]), sys.argv[2]
    faces = [f for f in bare_faces(run) if not held_out(f[0])]
    print(f'{len(faces)} faces of {len({f[0] for f in faces})} people', flush=True)
    faces += 2*lively_faces(LIVELY)
    print(f'{len(faces)} with lively ones', flush=True)
    pictures, hidden = (np.concatenate([drawn, *[true]*2]) for drawn, true in
        zip(drawn_on(faces, DRAWN, SEED), rendered(RENDERED)))
    net = learned(pictures, hidden)
    np.savez(out, **weights(net))
