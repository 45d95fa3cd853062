"""Documents as jobs of the community's ``queue_job``, in a real server with workers."""
