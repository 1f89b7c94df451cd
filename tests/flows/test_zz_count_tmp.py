import sys, time, re
sys.path.insert(0,'/work/main/tests/flows')
from datetime import date
import httpx, pytest
from models import fiction
from typing import Any
OPENING=date(2024,6,25)
@pytest.mark.server
def test_count(office: Any, prefect: Any, tmp_path: Any, drill: Any, monkeypatch: Any) -> None:
    from flows.round import run_round
    made=[]
    for kind in (httpx.Client, httpx.AsyncClient):
        send=kind.send
        def counted(client, request, _s=send, **o):
            if not request.url.path.endswith(("/logs/","/csrf-token")): made.append(f"{request.method} {re.sub('[0-9a-f-]{36}','id',request.url.path)}")
            return _s(client, request, **o)
        monkeypatch.setattr(kind,"send",counted)
    run_round("2024-1", as_of=OPENING)  # first: makes the pages
    time.sleep(1)
    out=[]
    for n,counts in ((20,{"A":60,"B":60,"C":60,"D":45}),(2000,{"A":60,"B":60,"C":60,"D":9900})):
        big=type(office)(tmp_path/str(n), f"sqlite:///{tmp_path/(str(n)+'.db')}")
        big.register(drill, fiction.subjects(1,counts,as_of=OPENING))
        with big.here():
            made.clear(); t=time.time(); s=run_round("2024-1", as_of=OPENING, return_state=True)
            out.append((n,len(made),sorted(made),s.message,round(time.time()-t,1))); time.sleep(1)
    import pathlib; pathlib.Path("/tmp/count2000.txt").write_text(repr([(a,b,d,e) for a,b,c,d,e in out])+"\n"+repr(out[0][2])+"\n"+repr(out[1][2]))
    pass
