"""Readings in an InfluxDB: line protocol to write, InfluxQL to read, `influxdb-client` as the transport.

Times are milliseconds. One database, or bucket, holds four measurements:

``reading``
    Tag ``series_id``; fields ``value`` (float), ``flag`` and ``run`` (integers). A point's key is
    (series_id, time), so what is written again replaces itself. Fields of a point are replaced one by
    one: where ``flag`` is 9, missing, an older ``value`` may still stand and does not count. Where
    ``flag`` is 0 the reading was taken away on a server that cannot delete.
``progress``
    One point at time 0; fields ``next_offset``, ``decoded``, ``dead_lettered``, ``duplicates``.
``forecast``
    Time is when it was issued; tags ``station``, ``quantity`` and ``lead`` [ms] after it; fields
    ``value`` (float) and ``known`` (integer), 0 where the provider gave none.
``refused``
    What the server would not take as a reading, at time 0; tags ``series_id`` and ``measured_at`` [ms];
    fields ``value``, ``flag``, ``run`` and ``reason``, all text.

There are no transactions. Rows are written before progress, so progress is never ahead of them; a commit
cut short is repeated from the journal and changes nothing where it had been written.
"""

from gruenpuls.stores.influxdb.capabilities import Capabilities
from gruenpuls.stores.influxdb.connection import Address, Connection
from gruenpuls.stores.influxdb.reader import InfluxReader
from gruenpuls.stores.influxdb.statistics import InfluxStatistics
from gruenpuls.stores.influxdb.writer import InfluxStore

__all__ = ["Address", "Capabilities", "Connection", "InfluxReader", "InfluxStatistics", "InfluxStore"]
