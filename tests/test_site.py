"""The built site in a browser: every page loads by itself, in light, dark and on a phone, without errors or
requests to other hosts; axe finds nothing."""
import functools, http.server, json, re, subprocess, sys, threading, time
from importlib.util import find_spec
from pathlib import Path
import numpy as np, pandas as pd, pytest, yaml
from browser import complaints
from smalldocs.quarto_keys import QUARTO_PAGE_OPTIONS

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root/'tools'))
from dev import (
    check_site, files_of, glossary_terms, html_pages, link_words, markdown_tables, name_of, notebook_files, PHASES)
from tables import said_text, series_table, tidy

@pytest.fixture(scope='session')
def site():
    "The site, built anew into `_docs/`"
    r = subprocess.run([sys.executable, str(root/'tools/dev.py'), 'docs'], capture_output=True, text=True)
    assert (root/'_docs/index.html').exists(), r.stdout + r.stderr
    return root/'_docs'

def test_links(site):
    "No broken link or anchor, nothing loaded from another host, no picture without words"
    assert not check_site(site)

def test_check_site_sees(tmp_path):
    "The check itself: each fault that it is there for is named"
    (tmp_path/'llms.txt').write_text('[a](gone.html.md)')
    (tmp_path/'a.html').write_text('<img src="data:,"><img src="b.png" alt="png"><a href="c.html"></a><a '
        'href="#no"></a><script src="https://x.org/y.js"></script>')
    (tmp_path/'a.css').write_text('@import url(https://x.org/z.css)')
    found = ' '.join(check_site(tmp_path))
    for said in ('2 pictures', 'broken link b.png', 'broken link c.html', 'no such place #no',
            'loads https://x.org/y.js', 'loads https://x.org/z.css', 'llms.txt: broken link gone'):
        assert said in found

def test_quarto_yml():
    "What Quarto would refuse: page options outside its schema, pages of the sidebar that are not there, or not in it"
    cfg = yaml.safe_load((root/'_quarto.yml').read_text())
    assert set(cfg['format']['html']) <= QUARTO_PAGE_OPTIONS | {'code-overflow'} # an option of cells that pages may set
    listed = files_of(cfg['website']['sidebar']['contents'])
    assert sorted(listed) == sorted(f'{name_of(p)}.ipynb' for p in notebook_files(root))

def test_llms_txt(site):
    "Every page of the sidebar is listed with what it is about, and has its Markdown"
    text = (site/'llms.txt').read_text()
    assert re.match(r'# fad\n\n> .+', text) and 'never a diagnosis' in text
    listed = re.findall(r'^- \[[^\]]+\]\(([^)]+)\)(: .+)?$', text, re.M)
    assert {n for n, _ in listed} == {f'{p.relative_to(site).as_posix()}.md' for p in html_pages(site)}
    assert len(listed) > 60 and all(about for _, about in listed)
    page = (site/'proof/reliability.html.md').read_text()
    assert page.startswith('# Reliability') and 'base64' not in page
    assert 'def reliability(' in page and '*Figure: ' in page

def test_twins_are_whole(site):
    "The Markdown beside a page tells every row and column of its tables"
    cut = re.compile(r'\[\d+ rows x \d+ columns\]|^\S.*  \.\.\.(  |$)', re.M)
    bad = [f'{p.relative_to(site)}: {m[0][:80]}' for p in site.rglob('*.html.md')
        for m in [cut.search(p.read_text(encoding='utf-8'))] if m]
    assert not bad

def test_tables_become_markdown():
    "Every cell, and what would end one is escaped"
    rows = '<tr><th colspan="2">a</th></tr><tr><td>1|2</td><td><b>x</b>\n y</td></tr>'
    assert markdown_tables(f'<style>td{{}}</style><table>{rows}</table>') == '| a |  |\n|---|---|\n| 1\\|2 | x y |'

def test_tables_read_as_words():
    "Row numbers go, an index's name stands in the head, an interval in the cell, names and units instead of keys"
    made = pd.DataFrame(dict(n_subjects=[9, 8], auc=[.7812, .5], auc_low=[.7288, .41], auc_high=[.8271, .62],
        peak_mm=[3., np.nan], q=[.0001, .25], who=['no_face', 'non_stroke']))
    said = markdown_tables(tidy(made.to_html(), True, ['A face in each row']))
    assert said.splitlines() == ['*A face in each row*', '', '| people | AUC | peak, mm | q | who |',
        '|---|---|---|---|---|', '| 9 | 0.78 (0.73 to 0.83) | 3 | < 0.001 | no face |',
        '| 8 | 0.50 (0.41 to 0.62) |  | 0.250 | non-stroke |']
    named = made[['auc']].set_axis(pd.Index(['mouth_corner_height', 'b'], name='feature')).to_html()
    def lines(read): return markdown_tables(tidy(named, read)).splitlines()[::2]
    assert lines(True) == ['| measure | AUC |', '| mouth corner height | 0.78 |']
    assert lines(False) == ['| feature | auc |', '| mouth_corner_height | 0.78 |']
    many = pd.DataFrame(dict(x=[1, 2]), index=pd.MultiIndex.from_product([['a'], ['b', 'c']], names=['g', 'h']))
    assert markdown_tables(tidy(many.to_html())).splitlines()[2:] == ['| a | b | 1 |', '|  | c | 2 |']
    assert markdown_tables(series_table(str(pd.Series(dict(a=1., b=2.), name='share')))) == (
        '|  | share |\n|---|---|\n| a | 1.0 |\n| b | 2.0 |')
    assert said_text("'1 of 2'") == '1 of 2' and said_text('{1: 2}') is None

def test_tables_have_captions(site):
    "On the pages that tell findings, a sentence says what a row of each table is"
    of_findings = re.compile(r'(landmarks|distributions|classifiers|cnn_reflection|temporal_trends)\.html|proof/|'
        r'clips/bedside|shortcuts/audit')
    pages = {name: p.read_text(encoding='utf-8') for p in html_pages(site)
        for name in [p.relative_to(site).as_posix()] if of_findings.match(name)}
    assert not {name for name, page in pages.items() if re.search(r'class="dataframe">(?!\s*<caption)', page)}

def test_first_uses_lead_to_the_glossary():
    "The first use of a term and every DOI become links; code, links and later uses stay as they are"
    from fastcore.basics import NS
    terms = glossary_terms('### Commissure\n\nx\n\n### Healthy limit\n\n### Look')
    assert terms == {'Commissure': 'commissure', 'Healthy limit': 'healthy-limit'}
    text = '`commissure` [Commissure](a.md), a commissure, 10.1000/x_y.2; commissures'
    cells = [NS(cell_type='markdown', source=text)]
    assert link_words(NS(cells=cells), terms, 'g.ipynb') == 2
    assert cells[0].source == ('`commissure` [Commissure](a.md), a [commissure](g.ipynb#commissure), '
        '[10.1000/x_y.2](https://doi.org/10.1000/x_y.2); commissures')

DEBRIS = re.compile(r'\btmp[a-z0-9_]{8}\b|np\.(?:float64|int64|str_)\(|\x1b\[|Figure: Figure|<[\w.]+ object at 0x')

def test_no_debris(site):
    "No temporary name, type of a library, control code or address of an object on any page"
    bad = [f'{p.relative_to(site)}: {m[0]}' for p in html_pages(site)
        for m in [DEBRIS.search(re.sub(r'(?s)<(script|style).*?</\1>|<pre[^>]*sourceCode.*?</pre>|<[^>]+>', ' ',
            p.read_text(encoding='utf-8')))] if m]
    assert not bad

@pytest.fixture(scope='session')
def server(site):
    "The address the site is served at"
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *a): pass
    s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=s.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{s.server_port}'
    s.shutdown()

def pages(site):
    "Every page, and one of those that show a module's source: without scripts and all made alike"
    return sorted([p.relative_to(site).as_posix() for p in html_pages(site)] + ['source/proof/reliability.html'])

def screen(tab, width=1300, height=900, phone=False):
    tab('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=phone)

def theme(tab, scheme): tab('Emulation.setEmulatedMedia', features=[dict(name='prefers-color-scheme', value=scheme)])

is_dark = 'getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0,3).reduce((a,b) => a + +b, 0) < 384'

def waited(tab, js, wait=10):
    "Whether a page comes to a state"
    end = time.time() + wait
    while not (done := tab.value(js)) and time.time() < end: time.sleep(.1)
    return done

def axe(tab, *rules):
    "What axe finds in the open page, a line a rule; all rules but contrast unless some are named"
    options = dict(resultTypes=['violations']) | (dict(runOnly=dict(type='rule', values=rules)) if rules
        else dict(rules={'color-contrast': dict(enabled=False)}))
    js = f"""axe.run(document, {json.dumps(options)}).then(r => JSON.stringify(r.violations.map(v => v.id + ', '
        + v.nodes.length + ' times, first ' + v.nodes[0].target + ': ' + v.nodes[0].failureSummary.split('\\n')[1])))"""
    return json.loads(tab('Runtime.evaluate', expression=js, awaitPromise=True, returnByValue=True)['result']['value'])

# colours come from tags, classes and styles: three elements of each kind stand for all, the others are hidden
thin = """(() => {
    const own = o => o.tagName + '.' + o.getAttribute('class') + o.getAttribute('style'), seen = {}, keep = new Set();
    const all = [...document.querySelectorAll('body *')];
    for (const o of all) {
        const kind = [o, o.parentElement, o.parentElement.parentElement || o].map(own).join('<');
        if ((seen[kind] = (seen[kind] || 0) + 1) <= 3) for (let p = o; p && !keep.has(p); p = p.parentElement) \
keep.add(p);
    }
    for (const o of all) if (!keep.has(o)) o.style.setProperty('display', 'none', 'important');
})()"""

# what a page looks like is asked after a change, never in the middle of one
still = ("document.head.insertAdjacentHTML('beforeend', '<style>*, *::before, *::after { transition: none !important; "
    "animation: none !important }</style>')")

unsigned = """[...document.querySelectorAll('main table')].filter(o => o.scrollWidth > o.clientWidth + 1
    && !o.nextElementSibling?.matches('.scrolls')).length"""

@pytest.fixture(scope='session')
def visited(site, server, tab):
    "Every page opened once, as desktop in light, in dark and as a phone; what was wrong with it, by kind"
    spec = find_spec('axe_core_python')
    tab.ws.settimeout(120)
    script = (Path(spec.origin).parent/'axe.min.js').read_text() if spec else None
    wrong = dict(loading=[], theme=[], wide=[], axe=[] if spec else None)
    for name in pages(site):
        def say(kind, what):
            return wrong[kind].append(f'{name}: {what}')
        screen(tab); theme(tab, 'light')
        for c in complaints(tab.open(f'{server}/{name}')): say('loading', c)
        tab.value(still)
        if not tab.value('document.title.length > 0 && document.body.innerText.length > 50'): say('loading', 'empty')
        if tab.value(is_dark): say('theme', 'not light')
        if script:
            tab('Runtime.evaluate', expression=script)
            for a in axe(tab): say('axe', a)
        screen(tab, 390, 844, True)
        if (w := tab.value('document.documentElement.scrollWidth')) > 390: say('wide', f'{w} px')
        if (n := tab.value(unsigned)): say('wide', f'{n} tables are cut without a sign')
        if script:
            for a in axe(tab, 'scrollable-region-focusable', 'landmark-unique'): say('axe', f'phone: {a}')
            screen(tab)
            tab.value(thin)
            for a in axe(tab, 'color-contrast'): say('axe', a)
        theme(tab, 'dark')
        if not waited(tab, is_dark, 5): say('theme', 'not dark')
        found = axe(tab, 'color-contrast') if script else []
        if found: # style sheets are not exchanged at one stroke: what is wrong is so a second later, too
            time.sleep(1)
            found = axe(tab, 'color-contrast')
        for a in found: say('axe', f'dark: {a}')
    return wrong

def test_pages_load(visited):
    "Every page: has a title and text, loads without an error, asks no other host"
    assert not visited['loading'], '\n'.join(visited['loading'])

def test_light_and_dark(visited):
    "Every page follows the scheme that the reader's system asks for"
    assert not visited['theme'], '\n'.join(visited['theme'])

def test_pages_fit_a_phone(visited):
    "At 390 px width no page scrolls sideways"
    assert not visited['wide'], '\n'.join(visited['wide'])

def test_axe_finds_nothing(visited):
    "Contrast in both schemes, alternative texts, names, landmarks, order of headings, what a keyboard reaches"
    if visited['axe'] is None: pytest.skip("axe-core-python is not installed (pip install 'facial-asymmetry[dev]')")
    assert not visited['axe'], '\n'.join(visited['axe'])

def press(tab, key, text=''):
    "A key of a real keyboard"
    for kind in ('keyDown', 'keyUp'):
        tab('Input.dispatchKeyEvent', type=kind, key=key, code=key,
            windowsVirtualKeyCode={'Tab': 9, 'Enter': 13}.get(key, ord(key[0])),
            **(dict(text=text) if text and kind == 'keyDown' else {}))

def ends(chosen):
    "Where the last of some elements ends, px"
    return f'Math.max(...[...document.querySelectorAll("{chosen}")].map(o => o.getBoundingClientRect().bottom))'

def test_the_front_page_is_two_screens(server, tab):
    "Picture and code on a laptop's first screen, all findings by the end of the second; below each other on a phone"
    screen(tab, 1366, 768); theme(tab, 'light')
    tab.open(f'{server}/index.html')
    assert tab.value(ends('.front')) <= 768 and tab.value(ends('.findings li')) <= 2*768
    screen(tab, 390, 800, phone=True)
    tab.open(f'{server}/index.html')
    assert tab.value(ends('.front')) > 800

def test_phases_begin_with_what_they_found(server, tab):
    "The findings of each phase stand in the first 900 px, and its figure begins there"
    screen(tab, 1366, 900); theme(tab, 'light')
    late = []
    for name in PHASES:
        tab.open(f"{server}/{name.partition('_')[2]}.html")
        first = 'main ul li, main img'
        found = tab.value(f'[...document.querySelectorAll("{first}")].slice(0, 3).map(o => o.tagName).join(" ")')
        end = tab.value('document.querySelector("main ul").getBoundingClientRect().bottom')
        figure = tab.value('document.querySelector("main img").getBoundingClientRect().top')
        if not found.startswith('LI LI') or end > 900 or figure > 900: late.append((name, found, end, figure))
    assert not late

def test_the_first_level_is_seen_at_once(server, tab):
    "Findings, the five phases and the three sections of the sidebar, without scrolling"
    screen(tab, 1366, 900); theme(tab, 'light')
    tab.open(f'{server}/index.html')
    top = '#quarto-sidebar .sidebar-menu-container > ul > li'
    assert tab.value(f'document.querySelectorAll("{top}").length') == 9
    assert tab.value(ends(top)) <= 900

def test_keyboard(server, tab):
    """Without a mouse: past the navigation with the first Tab, a section of the sidebar closed and opened, a page
    found by search"""
    screen(tab); theme(tab, 'light')
    tab.open(f'{server}/index.html')
    press(tab, 'Tab')
    assert tab.value("document.activeElement.className") == 'skip'
    press(tab, 'Enter', '\r')
    assert waited(tab, "location.hash == '#quarto-document-content'")
    tab.value("document.querySelector('.sidebar-item-toggle').focus()")
    before = tab.value("document.activeElement.getAttribute('aria-expanded')")
    press(tab, 'Enter', '\r')
    assert waited(tab, f"document.activeElement.getAttribute('aria-expanded') != '{before}'")
    press(tab, '/', '/')
    assert waited(tab, "document.activeElement.tagName == 'INPUT'")
    tab('Input.insertText', text='settings.ini')
    assert waited(tab, "[...document.querySelectorAll('a')].some(o => o.offsetParent && o.closest('[class*=search]') "
        "&& o.href.includes('settings.html'))")
    press(tab, 'Enter', '\r')
    assert waited(tab, "!location.pathname.endsWith('index.html') && document.readyState == 'complete'")
