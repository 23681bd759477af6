from browser import tab # noqa: F401, one browser for all tests that need one
