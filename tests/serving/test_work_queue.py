import asyncio
import threading
import time

import pytest
from starlette.requests import ClientDisconnect

from trackbed.serving.refusals import Refused
from trackbed.serving.work_queue import WorkQueue


class Client:
    """A request whose client goes after some seconds."""

    def __init__(self, seconds=60):
        self.seconds = seconds

    async def receive(self):
        await asyncio.sleep(self.seconds)
        return {"type": "http.disconnect"}


def test_results_come_in_the_order_of_the_jobs():
    def job(number):
        time.sleep(0.002 * (5 - number))
        return number

    async def main():
        queue = WorkQueue(3, 10)
        found = await queue.run(Client(), [lambda n=n: job(n) for n in range(5)])
        queue.close()
        return found, queue.count

    assert asyncio.run(main()) == ([0, 1, 2, 3, 4], 0)


def test_a_full_queue_refuses_and_says_for_how_long():
    go = threading.Event()

    async def main():
        queue = WorkQueue(1, 2)
        waiting = [asyncio.create_task(queue.run(Client(), [go.wait])) for _ in range(3)]
        await asyncio.sleep(0.05)
        with pytest.raises(Refused, match=r"full \(3 pictures\)") as caught:
            await queue.run(Client(), [go.wait])
        go.set()
        await asyncio.gather(*waiting)
        queue.refuse_if_full()
        queue.close()
        return caught.value

    refusal = asyncio.run(main())
    assert refusal.status == 503
    assert int(refusal.headers["Retry-After"]) >= 1


def test_an_empty_queue_takes_any_request():
    async def main():
        queue = WorkQueue(1, 0)
        found = await queue.run(Client(), [lambda: 1] * 5)
        queue.close()
        return found

    assert asyncio.run(main()) == [1] * 5


def test_jobs_of_a_client_that_has_gone_are_dropped():
    done, go = [], threading.Event()

    def job():
        go.wait(5)
        done.append(1)

    async def main():
        queue = WorkQueue(1, 10)
        with pytest.raises(ClientDisconnect):
            await queue.run(Client(0.3), [job] * 4)
        go.set()
        found = await queue.run(Client(), [lambda: "next"])
        queue.close()
        return found, queue.count

    assert asyncio.run(main()) == (["next"], 0)
    assert len(done) == 1  # it had begun


def test_the_error_of_a_job_is_raised():
    async def main():
        queue = WorkQueue(1, 10)
        try:
            with pytest.raises(ZeroDivisionError):
                await queue.run(Client(), [lambda: 1, lambda: 1 / 0, lambda: 1])
            return queue.count
        finally:
            queue.close()

    assert asyncio.run(main()) == 0
