"""The wallet file: ``envelope`` seals bytes, ``payload`` says what is inside, ``file`` keeps it safe on disk,
``passphrase`` knows where a passphrase may come from, ``store`` puts the four together.
"""
