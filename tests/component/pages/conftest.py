from tests.browser import browser as browser
from tests.browser import context as context
from tests.browser import live as live
from tests.browser import page as page
from tests.browser import playwright as playwright
