import pytest, re, difflib
from tests.cli.conftest import *
from tests.cli.far import service, token_of, patient, worker
from tests.database import empty_all_tables

MASK=[(r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}','UUID'),(r'20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| UTC)?','TIME'),(r'\d+\.\d s','SEC'),(r'\d\d:\d\d:\d\d','TIME'),(r'tg_\w+','TOKEN'),(r'in \d+ (h|min)','IN'),(r'\d+ (s|min) ago','AGO'),(r'Next: .*at \d\d:\d\d','AT'),(r'\d+ November','DAY'),(r'at \d\d:\d\d','AT'), (r'"(rate|seconds|queue|vendor|rate|database|work)": [\d.]+','X'),(r'127.0.0.1:\d+','HOST')]
def masked(t):
    for a,b in MASK: t=re.sub(a,b,t)
    return t

SC=[("connection","add","burpsuite","--label","Burp","--set","url={burp}","--secret","api_key=env:BURP_KEY"),
("connection","add","burpsuite","--label","Draft","--set","url={burp}","--secret","api_key=env:BURP_KEY","--preview"),
("connection","add","burpsuite","--label","Burp","--set","url={burp}","--secret","api_key=env:BURP_KEY","--preview"),
("discover","2","--preview"),("connection","drop","3"),("connection","drop","3"),
("connection","keep","2","--no-discover"),
("connection","add","burpsuite","--label","Wrong","--set","url={burp}","--secret","api_key=env:WRONG_KEY"),
("connection","add","burpsuite","--label","Wrong","--set","url=nonsense","--secret","api_key=env:WRONG_KEY"),
("connection","add","burpsuite","--label","Untried","--set","url={burp}","--secret","api_key=env:WRONG_KEY","--no-test","--no-discover"),
("record","map","Storefront","Storefront API","--new","Web shop"),
("record","map","Storefront","--new","Web shop"),
("record","ignore","Legacy Intranet","--because","old"),
("record","restore","Legacy Intranet"),
("record","undo","Legacy Intranet"),
("sync","Burp","--preview"),("operation","differences","3"),
("sync","Burp"),("sync","Burp","--later"),
("sync","--record","Storefront"),
("product","sync","Web shop"),
("finding","list","--limit","3"),
("finding","decide","1","--verdict","false positive","--note","no","--tag","x"),
("finding","decide","1","--verdict","none","--note","","--no-tags"),
("finding","decide","2","--verdict","real"),
("finding","decide","3","--severity","low","--until","2020-01-01"),
("operation","undo","10"),
("operation","again","4"),
("operation","cancel","1"),
("operation","watch","1"),
("operation","watch","999"),
("operation","approve","1"),("operation","keep","1"),
("rule","add","Burp","--name","Store*","--product","Web shop"),
("rule","add","Burp","--parent","x*","--template","X {{name}}","--at","1"),
("rule","edit","Burp","1","--ignore","--because","why"),
("rule","move","Burp","1","2"),("rule","try","Burp","--name","*","--template","{{name}}","--at","1"),
("rule","add","Burp","--name","(","--regex","--ignore"),
("rule","delete","Burp","1","--again"),("rule","delete","Burp","7"),
("schedule","set","Burp","--daily","2:00"),("schedule","set","Burp","--cron","nonsense"),
("connection","pause","Burp","--because","holiday"),("sync","Burp"),("connection","resume","Burp"),
("connection","edit","Burp","--minimum-severity","medium","--yes"),
("connection","edit","Burp","--label","Burp 2","--secret-ends","2031-01-01","--auto-map"),
("connection","edit","Burp 2","--set","url="),
("connection","test","Burp 2"),("connection","test","Untried"),
("product-type","add","Internal"),("product-type","add","Internal"),("product-type","rename","Internal","Inner"),
("product","add","Other","--product-type","Inner","--tag","a"),("product","edit","Other","--name","Another","--no-tags"),
("product","edit","Another","--name","Web shop"),
("product-type","delete","Inner","--confirm","Inner"),
("product","delete","Another","--confirm","wrong"),("product","delete","Another","--confirm","Another"),
("product-type","delete","Inner","--confirm","Inner"),
("engagement","rename","1","New name"),("test","rename","1","T"),("test","delete","1","--confirm","T"),
("engagement","delete","1","--confirm","New name"),
("mapping","import","{csv}","--preview"),("mapping","import","{csv}"),("mapping","import","{bad}"),("mapping","import","{latin}"),
("notify","add","ops","--address","env:NEWS","--no-test"),("notify","add","ops","--address","env:NEWS","--no-test"),("notify","edit","ops","--kind","held","--off"),("notify","show","ops"),("notify","test","ops"),
("notify","add","none","--address","env:NONEWS","--no-test"),("notify","add","gone","--address","env:NEWS"),
("notify","remove","ops"),("notify","remove","ops"),
("user","add","bob","--role","reader","--product","Web shop","--password","env:PW"),("user","add","bob","--no-password"),
("user","edit","bob","--email","b@example.org"),("user","grant","bob","operator","-c","Burp 2"),("user","take","bob","-c","Burp 2"),("user","show","bob"),
("user","password","bob","--password","env:PW2"),("user","password","bob","--password","env:SHORT"),("user","logout","bob","--tokens"),("user","reset-second-factor","bob"),
("token","add","nightly","--role","reader","--user","bob","--days","3"),("token","list"),("token","revoke","3"),("token","revoke","99"),
("user","deactivate","bob"),("user","reactivate","bob"),("user","deactivate","alice"),
("suggestion","accept","Storefront","Storefront API"),("suggestion","dismiss","Storefront","Storefront API"),
("export",),("validate","{yaml}"),("plan","{yaml}"),("apply","{yaml}","--yes"),("plan","{yaml}"),("plan","{badyaml}"),("validate","{badyaml}"),
("record","delete","Storefront"),("connection","delete","Burp 2","--confirm","Burp 2"),
("connection","add","burpsuite","--label","Again","--set","url={burp}","--secret","api_key=env:BURP_KEY","--no-discover"),
("connection","list"),("record","list"),("operation","list"),
]
@pytest.mark.parametrize("j",[(),("--json",)])
def test_same(tidegate, burp, settings, monkeypatch, tmp_path, j):
    monkeypatch.setenv("WRONG_KEY","wrong"); monkeypatch.setenv("NEWS","ntfy://127.0.0.1:9/x"); monkeypatch.setenv("NONEWS","rubbish")
    monkeypatch.setenv("PW","correct horse battery staple"); monkeypatch.setenv("PW2","another horse battery staple");monkeypatch.setenv("SHORT","x")
    files={}
    for n,t in (("csv",b"connection,vendor_id,decision,product\nBurp 2,1,mapped,Caf\xc3\xa9 \xe2\x80\xa8 x\nBurp 2,2,rubbish,\nNope,1,new,\n"),("bad",b"nonsense\n1"),("latin",b"connection,vendor_id\nB\xfcrp,1\n"),("yaml",b"version: 1\nproduct_types:\n  - name: Made\nproducts:\n  - name: P\n"),("badyaml",b"version: 1\nnonsense: 3\n")):
        (tmp_path/n).write_bytes(t); files[n]=str(tmp_path/n)
    burp.control.reset() if hasattr(burp.control,'reset') else None
    runs=[]
    for where in ("here","far"):
        empty_all_tables()
        monkeypatch.delenv("TIDEGATE_URL", raising=False)
        with service(settings) as url, worker():
            patient(monkeypatch)
            token=token_of("administrator")
            if where=="far":
                monkeypatch.setenv("TIDEGATE_URL", url); monkeypatch.setenv("TIDEGATE_TOKEN", token)
            runs.append([tidegate(*(p.format(burp=burp.url,**files) for p in c),*j) for c in SC])
    bad=0; O=open(f"/tmp/hfar_diff{len(j)}.txt","w")
    for c,a,b in zip(SC,*runs):
        ta,tb=[masked(f"{r.code}\n{r.out}\n{r.err}") for r in (a,b)]
        if ta!=tb:
            bad+=1
            print("=====",c,file=O); print("\n".join(difflib.unified_diff(ta.splitlines(),tb.splitlines(),lineterm="",n=1)),file=O)
    open("/tmp/hfar_out.txt","w").write("\n".join(f"===== {c}\n{masked(str(a.code)+a.out+a.err)}" for c,a in zip(SC,runs[0])))
    assert not bad
