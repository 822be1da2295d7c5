# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Make the documents that messages wait for, as many at a time as there are cores."""

import logging
import queue
import threading
from collections import deque

_logger = logging.getLogger(__name__)


class DocumentMaker:
    """Documents made side by side, each in a transaction of its own.

    Rendering one is mostly another program's work (wkhtmltopdf), so threads keep all
    cores at it. Whoever runs it hears of each document as it is finished, so
    that its messages go while the next are made.
    """

    def __init__(self, messages, budget):
        """Make documents for `messages`, an empty recordset, within a `Budget`."""
        self.messages = messages
        self.budget = budget
        self.is_left = False
        self._is_stopped = False
        self._guard = threading.Lock()
        self._todo = deque()
        self._busy = set()
        self._skipped = set()
        self._made = queue.SimpleQueue()

    def run(self, threads, let_go):
        """Make documents until none waits or time is up; none is begun after that.

        :param threads: how many at a time; one is made in this thread
        :param let_go: called in this thread with the ids of the numbers whose
            messages got their document
        """
        if threads == 1:
            for phone_ids in self._make_all():
                let_go(phone_ids)
            return
        started = [self._start(number) for number in range(threads)]
        running = threads
        try:
            while running:
                ended, phone_ids = self._hear()
                running -= ended
                if phone_ids:
                    let_go(phone_ids)
        finally:
            # The threads end before the caller gives up its lock.
            self._is_stopped = True
            for thread in started:
                thread.join()

    def _start(self, number):
        thread = threading.Thread(
            target=self._work, name=f"wab-document-{number}", daemon=True
        )
        # Odoo's log reads the database's name from the thread.
        thread.dbname = self.messages.env.cr.dbname
        thread.start()
        return thread

    def _work(self):
        """Make documents in a thread; the last word says that it ended."""
        try:
            for phone_ids in self._make_all():
                self._made.put(phone_ids)
        except Exception:
            _logger.exception("No documents by this thread, the others go on")
        finally:
            self._made.put(None)

    def _hear(self):
        """Wait for news; return (threads that ended, numbers with new documents)."""
        news = [self._made.get()]
        while not self._made.empty():
            news.append(self._made.get())
        return news.count(None), sorted({one for ids in news for one in ids or ()})

    def _make_all(self):
        """Make one document after the other; yield the numbers that wait for each."""
        while document := self._next():
            res_model, res_id, message_ids, phone_ids = document
            try:
                with self.messages._own_transaction() as env:
                    messages = env[self.messages._name]._limit_document(self.budget)
                    rows = messages.browse(message_ids)
                    is_done = rows._make_alone(res_model, res_id)
            except BaseException:
                self._end(document, False)
                raise
            self._end(document, is_done)
            yield phone_ids or []

    def _next(self):
        """Return the next document that nobody is at, None when there is none."""
        with self._guard:
            if not self._todo:
                self._todo.extend(self._read())
            if not self._todo:
                return None
            if self._is_stopped or self.budget.is_over():
                self.is_left = True
                return None
            document = self._todo.popleft()
            self._busy.add(document[:2])
            return document

    def _read(self):
        with self.messages._own_transaction() as env:
            waiting = env[self.messages._name]._next_documents(sorted(self._skipped))
        return [row for row in waiting if row[:2] not in self._busy]

    def _end(self, document, is_done):
        """Let others at it; what was not done is left to another run."""
        with self._guard:
            self._busy.discard(document[:2])
            if not is_done:
                self._skipped.update(document[2])
