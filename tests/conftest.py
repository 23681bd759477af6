from browser import tab # one browser for all tests that need one
