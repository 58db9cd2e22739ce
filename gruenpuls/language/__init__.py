"""What people read, in German and English: texts by key, numbers, moments and units in their form."""
