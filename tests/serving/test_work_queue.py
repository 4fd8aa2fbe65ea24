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


def each(function):
    """A job that does a thing with every value."""
    return lambda values: [function(value) for value in values]


def test_results_come_in_the_order_of_the_values():
    def job(number):
        time.sleep(0.002 * (5 - number))
        return number

    async def main():
        queue = WorkQueue(3, 10)
        found = await queue.run(Client(), each(job), range(5))
        queue.close()
        return found, queue.count

    assert asyncio.run(main()) == ([0, 1, 2, 3, 4], 0)


def test_a_full_queue_refuses_and_says_for_how_long():
    go = threading.Event()

    async def main():
        queue = WorkQueue(1, 2)
        waiting = [asyncio.create_task(queue.run(Client(), each(go.wait), [5])) for _ in range(3)]
        await asyncio.sleep(0.05)
        with pytest.raises(Refused, match=r"full \(3 pictures\)") as caught:
            await queue.run(Client(), each(go.wait), [5])
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
        found = await queue.run(Client(), each(abs), [1] * 5)
        queue.close()
        return found

    assert asyncio.run(main()) == [1] * 5


def test_values_of_a_client_that_has_gone_are_dropped():
    done, go = [], threading.Event()

    async def main():
        queue = WorkQueue(1, 10)
        first = asyncio.create_task(queue.run(Client(), each(go.wait), [5]))
        await asyncio.sleep(0.05)
        with pytest.raises(ClientDisconnect):
            await queue.run(Client(0.01), each(done.append), [1, 2, 3])
        go.set()
        await first
        found = await queue.run(Client(), each(str), ["next"])
        queue.close()
        return found, queue.count

    assert asyncio.run(main()) == (["next"], 0)
    assert done == []


def test_values_of_several_requests_are_worked_on_at_once():
    sizes, go = [], threading.Event()

    def job(values):
        sizes.append(len(values))
        return values

    async def main():
        queue = WorkQueue(1, 100)
        first = asyncio.create_task(queue.run(Client(), each(go.wait), [5]))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(queue.run(Client(), job, [n])) for n in range(12)]
        await asyncio.sleep(0.05)
        go.set()
        await first
        found = await asyncio.gather(*others)
        queue.close()
        return found

    assert asyncio.run(main()) == [[n] for n in range(12)]
    assert sizes == [8, 4]


def test_the_error_of_one_value_spares_other_requests():
    go = threading.Event()

    def job(values):
        return [1 / value for value in values]

    async def main():
        queue = WorkQueue(1, 10)
        first = asyncio.create_task(queue.run(Client(), each(go.wait), [5]))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(queue.run(Client(), job, [n])) for n in (1, 0, 2)]
        await asyncio.sleep(0.05)
        go.set()
        await first
        found = await asyncio.gather(*others, return_exceptions=True)
        queue.close()
        return found

    one, error, half = asyncio.run(main())
    assert (one, half) == ([1], [0.5])
    assert isinstance(error, ZeroDivisionError)


def test_the_error_of_a_job_is_raised():
    async def main():
        queue = WorkQueue(1, 10)
        try:
            with pytest.raises(ZeroDivisionError):
                await queue.run(Client(), each(lambda n: 1 / n), [1, 0, 1])
            return queue.count
        finally:
            queue.close()

    assert asyncio.run(main()) == 0
