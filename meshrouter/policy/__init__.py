"""What this node carries and takes: rules of its operator (``rule``, ``policy``), and quotas of guests (``quota``)."""
